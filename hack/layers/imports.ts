/** Finds what a TypeScript file imports, from its text. */

/** One import. */
export interface Import {
  /** Line it begins on, from 1. */
  readonly line: number;
  /** What stands in the quotes; undefined where it is computed at run time. */
  readonly specifier: string | undefined;
}

// Declarations begin in column 0 in formatted code, which keeps those in comments and most of those in strings out.
// An error on the other side is a refusal, never an import unseen.
const PATTERNS = [
  /^(?:import|export)\s+(?:type\s+)?[\w$*{},\s]+?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*(?:['"`]([^'"`$]+)['"`])?/g,
  /\bnew URL\(\s*['"](\.[^'"]+\.[jt]s)['"]/g,
] as const;

/** Static, type-only, dynamic and re-exporting imports, and files named for a worker, in the order of their lines. */
export function importsOf(text: string): Import[] {
  const found = PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ index, 1: specifier }) => ({ line: lineOf(text, index), specifier })),
  );
  return found.sort((a, b) => a.line - b.line);
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
