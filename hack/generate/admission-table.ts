/** Reference page of who may do what: the rows that test/integration/admission asks of a real API server. */

import type { Expected, Row } from '../../test/integration/admission/table/row.ts';
import { ATTACKS, TABLE } from '../../test/integration/admission/table/rows.ts';
import { USERS, type User } from '../../test/integration/admission/table/users.ts';
import { rbacSays } from '../../test/support/admission/answer.ts';

const SAME = 'the same';

/** docs/reference/admission-table.md. */
export async function admissionTable(): Promise<ReadonlyMap<string, string>> {
  const page = `# Who may do what

Generated from \`test/integration/admission/table/\` by \`npm run generate\`. Every row is asked of a real API server with the
roles of the chart, once with webhook and controller running (\`test/integration/admission/table.test.ts\`) and once with
both down (\`table-down.test.ts\`); as a dry run first, which says the same. What the layers are and what to do about a
refusal is in [admission.md](../admission.md).

The namespaces \`ai-agents\` and \`ai-data\` are governed, \`elsewhere\` is not. In \`ai-agents\` the planner delegates to the
deployer and the analyst; the agent frozen is suspended, captive is quarantined, ghost was deleted and its pod still runs.
CapabilityBoundary house leaves everything but \`root_shell\` to both namespaces. "No answer" means that the API server
would ask the webhook named and refuses because nobody answers (\`failed calling webhook\`).

| who | with which rights | rows | attacks |
|---|---|---|---|
${USERS.map(userLine).join('\n')}

## The table

${USERS.map((user) => section(user, TABLE, tableOf)).join('\n\n')}

## Stolen tokens

What whoever holds a token cannot do with it, with every process of ours down (\`stolen-token.test.ts\`), and with them
running neither. All of it is refused.

${USERS.filter(({ name }) => ATTACKS.some(({ user }) => user === name))
  .map((user) => section(user, ATTACKS, attacksOf))
  .join('\n\n')}
`;
  return new Map([['docs/reference/admission-table.md', page]]);
}

function userLine({ name, means }: User): string {
  const count = (rows: readonly Row[]): number => rows.filter(({ user }) => user === name).length;
  return `| ${name} | ${means} | ${count(TABLE)} | ${count(ATTACKS)} |`;
}

function section(user: User, rows: readonly Row[], render: (rows: readonly Row[]) => string): string {
  const heading = rows === ATTACKS ? `Attacks: ${user.name}` : capital(user.name);
  return `### ${heading}\n\n${render(rows.filter((row) => row.user === user.name))}`;
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const answer = told(row.answer, row);
    const down = row.whileDown === undefined ? SAME : told(row.whileDown, row);
    return `| ${cell(row.does)} | ${row.request.verb} | ${answer} | ${down} |`;
  });
  return ['| does | by | answer | while our processes are down |', '|---|---|---|---|', ...lines].join('\n');
}

function attacksOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${cell(row.does)} | ${row.request.verb} | ${told(row.answer, row)} |`);
  return ['| attack | by | refused by |', '|---|---|---|', ...lines].join('\n');
}

function told(expected: Expected, { request }: Row): string {
  if ('warnings' in expected) {
    const warnings = expected.warnings.map((warning) => `<br>Warning: ${cell(warning)}`);
    return `allowed${warnings.join('')}`;
  }
  if (expected.by.startsWith('absent webhook '))
    return `no answer: \`${expected.by.slice('absent webhook '.length)}\``;
  const says = expected.says ?? rbacSays(request);
  return `${by(expected.by)} (${expected.status}): ${cell(says)}`;
}

function by(layer: string): string {
  const [sort = '', name] = layer.split(' ');
  return name === undefined || layer === 'API server' ? layer : `${sort} \`${name}\``;
}

/** Text that Markdown leaves as it is. */
function cell(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll('*', '\\*')
    .replaceAll('<', '&lt;')
    .replaceAll('\n', '<br>');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
