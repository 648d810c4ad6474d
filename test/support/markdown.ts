/** Reads the pages of this repository: their code blocks, commands, links and anchors. */

/** A fenced block. */
export interface CodeBlock {
  readonly language: string;
  /** What stands behind the language on the line of the fence. */
  readonly info: string;
  readonly text: string;
  /** Of the fence, from 1. */
  readonly line: number;
}

/** A command of a block, and the output that the page shows for it. */
export interface ShownCommand {
  readonly command: string;
  readonly output: readonly string[];
}

/** All fenced blocks in their order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const fence = /^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```$/gm;
  for (const match of page.matchAll(fence)) {
    const [, language = '', info = '', text = ''] = match;
    const line = page.slice(0, match.index).split('\n').length;
    blocks.push({ language, info: info.trim(), text, line });
  }
  return blocks;
}

/**
 * The commands of a `console` block (lines that begin with `$ `, with what follows as output) or of an `sh` block (every
 * line). A backslash at the end of a line continues it.
 */
export function commandsOf({ language, text }: CodeBlock): readonly ShownCommand[] {
  const lines = text.replaceAll('\\\n', '').trimEnd().split('\n');
  if (language !== 'console') return lines.map((command) => ({ command, output: [] }));
  const commands: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] });
    else commands.at(-1)?.output.push(line);
  }
  return commands;
}

/** Targets of links and images that are not on another host. */
export function localLinks(page: string): readonly string[] {
  const prose = page.replace(/^```[\s\S]*?^```$/gm, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Paths of this repository that stand in backticks, globs among them. */
export function namedPaths(page: string): readonly string[] {
  const spans = [...page.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return spans.filter((span) =>
    /^(\.ci|crds|docs|examples|hack|helm|manifests|src|test)\/[\w./*-]*$/.test(span),
  );
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(page: string): readonly string[] {
  const headings = page.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
