/** Flags of a process as a table: parsed, checked and explained in one way, whatever the process. */

import { parseArgs } from 'node:util';

/** What a value must be. */
export interface FlagRule {
  /** Continues the flag's name, for example `must be 1 to 64`. */
  readonly must: string;
  readonly holds: (value: string) => boolean;
}

/** One flag. */
export interface Flag {
  /** What stands for the value in the help text. */
  readonly value: string;
  readonly default: string;
  readonly says: string;
  /** All that its value must keep; none: anything goes. */
  readonly rules?: readonly FlagRule[];
}

/** The values of a table of flags, as text. */
export type FlagValues<F> = Readonly<Record<keyof F & string, string>>;

/** A process that takes flags. */
export interface Program<F extends Readonly<Record<string, Flag>>, C> {
  /** First line of the help text. */
  readonly about: string;
  readonly flags: F;
  /** Mistakes that no flag makes alone. */
  readonly problems?: (values: FlagValues<F>) => readonly string[];
  /** Called only with values that keep every rule. */
  readonly config: (values: FlagValues<F>) => C;
}

/** A configuration, the text that `--help` asks for, or every mistake in the flags. */
export type Parsed<C> =
  | { readonly kind: 'config'; readonly config: C }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Reads the flags. All mistakes are reported at once, each with flag, rule and an example. */
export function parseFlags<F extends Readonly<Record<string, Flag>>, C>(
  program: Program<F, C>,
  args: readonly string[],
): Parsed<C> {
  const { flags, config } = program;
  let values: FlagValues<F>;
  try {
    const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    const given = new Map<string, unknown>(Object.entries(parsed.values));
    if (given.get('help') === true) return { kind: 'help', text: helpText(program) };
    values = Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [name, String(given.get(name) ?? flag.default)]),
    ) as FlagValues<F>;
  } catch (error) {
    return { kind: 'invalid', problems: [error instanceof Error ? error.message : String(error)] };
  }
  const problems = problemsOf(program, values);
  return problems.length > 0
    ? { kind: 'invalid', problems }
    : { kind: 'config', config: Object.freeze(config(values)) };
}

function problemsOf<F extends Readonly<Record<string, Flag>>, C>(
  { flags, problems }: Program<F, C>,
  values: FlagValues<F>,
): readonly string[] {
  const broken = Object.entries(flags).flatMap(([name, { rules = [] }]) =>
    rules
      .filter(({ holds }) => !holds(values[name as keyof F & string]))
      .map(({ must }) => `--${name} ${must}`),
  );
  return [...broken, ...(problems?.(values) ?? [])];
}

function helpText<F extends Readonly<Record<string, Flag>>, C>({ about, flags }: Program<F, C>): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const left = `  --${name}=${flag.value}`.padEnd(36);
    return `${left}${flag.says}${flag.default === '' ? '' : ` (${flag.default})`}`;
  });
  return `${about}\n\nFlags:\n${rows.join('\n')}\n`;
}
