/** Operators whose wall clock is moved while they run: by an injected clock, or under libfaketime. */

import { globSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { sumOfSamples } from '../../hack/operator/operator-process.ts';
import { credentialIdOf } from './audit-log.ts';
import { OPERATOR_ACCOUNT, startOperator } from './operator.ts';
import { startReplica } from './replica.ts';

/** A running operator and its clock. */
export interface MovedOperator {
  /** See `AuditedWrite`. */
  readonly credentialId: string;
  /** Sets the wall clock: so many seconds beside the true time, positive is ahead. */
  moveTo(offsetSeconds: number): Promise<void>;
  metric(name: string, labels?: string): Promise<number>;
  /** Whether it still runs. */
  isAlive(): boolean;
  stop(): Promise<unknown>;
}

/** How it is started. */
export interface MovedOperatorOptions {
  readonly controlPlane: ControlPlane;
  readonly flags: readonly string[];
  /** Of the clock at the start. */
  readonly offsetSeconds: number;
}

/** In this process, with a clock given to it. */
export async function startWithInjectedClock(options: MovedOperatorOptions): Promise<MovedOperator> {
  const { controlPlane, flags } = options;
  let offsetMs = options.offsetSeconds * 1000;
  const clock = { nowMs: () => Date.now() + offsetMs, monotonicMs: () => performance.now() };
  const operator = await startOperator({ controlPlane, flags, clock, logName: 'injected-clock' });
  const directory = await controlPlane.serviceAccountDirectory(OPERATOR_ACCOUNT);
  let isAlive = true;
  void operator.ended.then(() => {
    isAlive = false;
  });
  return {
    credentialId: credentialIdOf(await readFile(join(directory, 'token'), 'utf8')),
    async moveTo(offsetSeconds) {
      offsetMs = offsetSeconds * 1000;
    },
    metric: async (name, labels) => sumOfSamples(await operator.registry.metrics(), name, labels),
    isAlive: () => isAlive,
    stop: () => operator.stop(),
  };
}

/** As a process of its own under libfaketime, which moves only the wall clock. */
export async function startUnderFaketime(options: MovedOperatorOptions): Promise<MovedOperator> {
  const { controlPlane, flags, offsetSeconds } = options;
  const file = join(controlPlane.directory, 'faketime');
  // Renamed into place: it must not be read half written.
  const moveTo = async (seconds: number): Promise<void> => {
    await writeFile(`${file}.next`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    await rename(`${file}.next`, file);
  };
  await moveTo(offsetSeconds);
  const env = {
    LD_PRELOAD: faketimeLibrary(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    // The name it has had since 0.9.9, and the one before.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  const { process, credentialId } = await startReplica({ controlPlane, name: 'faketime', flags, env });
  let isAlive = true;
  void process.exited().then(() => {
    isAlive = false;
  });
  return {
    credentialId,
    moveTo,
    metric: (name, labels) => process.metric(name, labels),
    isAlive: () => isAlive,
    stop: () => process.stop(),
  };
}

function faketimeLibrary(): string {
  const [path] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
  if (path === undefined) throw new Error('libfaketime is missing; on Debian: apt-get install libfaketime');
  return path;
}
