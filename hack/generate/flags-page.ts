/** Reference page of the flags of both processes: their own --help. */

import { parseConfig } from '../../src/cmd/config.ts';
import type { Parsed } from '../../src/cmd/flags.ts';
import { parseWebhookConfig } from '../../src/cmd/webhook-config.ts';

/** docs/reference/flags.md. */
export async function flagsPage(): Promise<ReadonlyMap<string, string>> {
  const page = `# Flags

Generated from \`src/cmd/config.ts\`, \`src/cmd/webhook-config.ts\` and \`src/cmd/process-flags.ts\` by \`npm run generate\`. The
chart sets them from its values ([values.md](values.md)). Durations are written as \`15s\`, \`2m\`, \`1h30m\`.

## The controller

\`\`\`text
${helpOf(parseConfig)}
\`\`\`

## The webhook

\`\`\`text
${helpOf(parseWebhookConfig)}
\`\`\`

Every mistake in the flags is reported at once, and the exit status is 64.
`;
  return new Map([['docs/reference/flags.md', page]]);
}

function helpOf(parse: (args: readonly string[]) => Parsed<unknown>): string {
  const help = parse(['--help']);
  if (help.kind !== 'help') throw new Error('--help gives no help');
  return help.text.trim();
}
