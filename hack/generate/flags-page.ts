/** Reference page of the controller's flags: its own --help. */

import { parseConfig } from '../../src/cmd/config.ts';

/** docs/reference/flags.md. */
export async function flagsPage(): Promise<ReadonlyMap<string, string>> {
  const help = parseConfig(['--help']);
  if (help.kind !== 'help') throw new Error('--help gives no help');
  const page = `# Flags of the controller

Generated from \`src/cmd/config.ts\` by \`npm run generate\`. The chart sets them from its values
([values.md](values.md)). Durations are written as \`15s\`, \`2m\`, \`1h30m\`.

\`\`\`text
${help.text.trim()}
\`\`\`

Every mistake in the flags is reported at once, and the exit status is 64.
`;
  return new Map([['docs/reference/flags.md', page]]);
}
