/** What docs/authority.md tells people to type when a key leaks. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stateTexts } from '../../../src/controllers/authority/state-object.ts';
import type { GenerationState } from '../../../src/domain/authority/facts.ts';
import { readIntent } from '../../../src/domain/authority/intent.ts';
import { codeBlocks, commandsOf } from '../../support/markdown.ts';

const PAGE = join(import.meta.dirname, '../../../docs/authority.md');
const AT = Date.UTC(2026, 0, 1);
const STATES: readonly GenerationState[] = [
  { id: '0123456789abcdef', phase: 'retiring', preparedAtMs: AT, reissueTotal: 1_234_567_890 },
  { id: '1111111111111111', phase: 'signing', preparedAtMs: AT, activatedAtMs: AT + 1 },
  { id: 'fedcba9876543210', phase: 'prepared', preparedAtMs: AT },
];
/** Answers a get by the key that is asked for, and prints what a patch was called with. */
const KUBECTL = `#!/bin/sh
case "$*" in
get*data.signing*) printf 1111111111111111 ;;
get*data.generations*) printf %s "$GENERATIONS" ;;
patch*) for last; do :; done; printf %s "$last" ;;
esac
`;

describe('the command of docs/authority.md that taints', () => {
  it('names every generation whose key is in the Secret, in a form that is taken', () => {
    const [command = ''] = codeBlocks(readFileSync(PAGE, 'utf8'))
      .flatMap(commandsOf)
      .map((shown) => shown.command)
      .filter((text) => text.startsWith('kubectl patch') && text.includes('\\"taint\\":'));
    const folder = mkdtempSync(join(tmpdir(), 'authority-page-'));
    try {
      writeFileSync(join(folder, 'kubectl'), KUBECTL, { mode: 0o755 });
      const GENERATIONS = stateTexts(STATES)['generations'];
      const env = { ...process.env, GENERATIONS, PATH: `${folder}:${process.env['PATH']}` };
      const patch = JSON.parse(execFileSync('sh', ['-c', command], { env, encoding: 'utf8' }));
      const { intent, problems } = readIntent(patch.data);
      expect(problems).to.deep.equal([]);
      expect([...intent.taint]).to.have.members(STATES.map(({ id }) => id));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
