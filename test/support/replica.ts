/** Controllers as processes of their own, which the API server's audit log can tell apart by their tokens. */

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { type OperatorProcess, startOperatorProcess } from '../../hack/operator/operator-process.ts';
import { credentialIdOf } from './audit-log.ts';
import { eventually } from './eventually.ts';
import { OPERATOR_ACCOUNT } from './operator.ts';

/** How a replica runs. */
export interface ReplicaOptions {
  readonly controlPlane: ControlPlane;
  /** For its folder, its log and the audit; not used before. */
  readonly name: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running replica. */
export class Replica {
  readonly name: string;
  readonly process: OperatorProcess;
  /** The identifier of its token, as `authentication.kubernetes.io/credential-id` has it. */
  readonly credentialId: string;
  readonly #logPath: string;

  /** Use {@link startReplica}. */
  constructor(made: Pick<Replica, 'name' | 'process' | 'credentialId'> & { readonly logPath: string }) {
    this.name = made.name;
    this.process = made.process;
    this.credentialId = made.credentialId;
    this.#logPath = made.logPath;
  }

  /** Whether it says that it leads; false for one that does not answer. */
  async isLeader(): Promise<boolean> {
    try {
      return (await this.process.metric('leader_election_master_status')) === 1;
    } catch {
      return false;
    }
  }

  /** Resolves when it leads. */
  async leads(): Promise<void> {
    await eventually(`${this.name} to lead`, () => this.isLeader());
  }

  /** Resolves when it is ready to take over. */
  async standsBy(): Promise<void> {
    await eventually(`${this.name} to be ready`, () => this.process.isReady());
  }

  /** Everything it has logged. */
  log(): Promise<string> {
    return readFile(this.#logPath, 'utf8');
  }
}

/** Starts one with a token of its own, which lives 10 min; resolves when it listens. */
export async function startReplica({ controlPlane, name, flags, env }: ReplicaOptions): Promise<Replica> {
  const directory = join(controlPlane.directory, 'replicas', name);
  const token = await controlPlane.tokenFor(OPERATOR_ACCOUNT);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'token'), token, { mode: 0o600 });
  await writeFile(join(directory, 'namespace'), OPERATOR_ACCOUNT.namespace);
  await copyFile(controlPlane.caPath, join(directory, 'ca.crt'));
  const logPath = join(directory, 'log');
  const process = await startOperatorProcess({
    server: controlPlane.server,
    serviceAccountDirectory: directory,
    flags,
    logPath,
    ...(env === undefined ? {} : { env }),
  });
  return new Replica({ name, process, credentialId: credentialIdOf(token), logPath });
}
