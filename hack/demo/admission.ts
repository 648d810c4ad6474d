/** What is refused before it is stored, and in which words. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DelegationPolicy } from '../../src/api/delegation-policy.ts';
import { DELEGATION_POLICY, GROUP, VERSION } from '../../src/api/group.ts';
import type { Access } from './access.ts';
import { Mismatch } from './mismatch.ts';
import { AGENTS } from './swarm.ts';

/** Lets the deployer have files written for it, which it may not write itself. */
const WIDER: Pick<DelegationPolicy, 'spec'> = {
  spec: { rules: [{ from: 'agent-deployer', to: ['agent-writer'], capabilities: [{ name: 'write_file' }] }] },
};

/**
 * Applies a policy with which an agent would get another one to do what it may not.
 *
 * @param directory where its file is put.
 * @returns the answer as `kubectl` shows it, line by line.
 * @throws Mismatch when it is stored.
 */
export function widenPolicy(access: Access, directory: string): Promise<readonly string[]> {
  const filename = join(directory, 'wider.json');
  const manifest = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: DELEGATION_POLICY.kind,
    metadata: { name: 'wider', namespace: AGENTS },
    ...WIDER,
  };
  writeFileSync(filename, JSON.stringify(manifest));
  return refusalOf(access, ['apply', `--filename=${filename}`]);
}

/** Deletes a Secret as an administrator. @returns see {@link widenPolicy}. @throws Mismatch when it is deleted. */
export function deleteManaged(access: Access, secret: string): Promise<readonly string[]> {
  return refusalOf(access, ['delete', 'secret', secret, `--namespace=${AGENTS}`]);
}

async function refusalOf(access: Access, args: readonly string[]): Promise<readonly string[]> {
  const { exitStatus, stdout, stderr } = await access.kubectl(args, { mayFail: true });
  if (exitStatus === 0) throw new Mismatch('a refusal', stdout.trim());
  if (!stderr.includes('denied')) throw new Mismatch('a refusal by admission', stderr.trim());
  // Where the file lies and which URL was asked is of no interest here.
  const said = stderr.slice(stderr.search(/admission webhook|ValidatingAdmissionPolicy/));
  return said.trimEnd().split('\n');
}
