/** A folder of an agent, and what the SDK sees in it, for one test at a time. */

import { AgentDirectory } from '../../../src/sdk/files/agent-directory.ts';
import { type FileChanges, LocalSwarm } from './agent-folder.ts';
import { swapFolder } from './mounted-folder.ts';

const NEVER_MS = 3_600_000;

/** What a test does with it. */
export interface OpenedDirectory {
  /** Milliseconds since the Unix epoch, for whoever writes the files and whoever reads them. */
  nowMs: number;
  readonly swarm: LocalSwarm;
  /** Opens the agent's folder, or another one. It looks by itself as often as `pollMs` says: never unless told. */
  open(dir?: string, pollMs?: number): Promise<AgentDirectory>;
  /** Writes the next bundle with changes, and reads it. */
  write(changes: FileChanges): Promise<void>;
}

/** Gives each test a folder of its own, and closes what it opened. */
export function useOpenedDirectory(agent: string): OpenedDirectory {
  let swarm: LocalSwarm;
  let directory: AgentDirectory | undefined;
  const opened: OpenedDirectory = {
    nowMs: 0,
    get swarm() {
      return swarm;
    },
    async open(dir = swarm.folder(agent), pollMs = NEVER_MS) {
      directory = await AgentDirectory.open(dir, { nowMs: () => opened.nowMs, pollMs });
      return directory;
    },
    async write(changes) {
      swarm.sequence += 1;
      swapFolder(swarm.folder(agent), swarm.files(agent, changes));
      await directory?.reload();
    },
  };
  beforeEach(() => {
    opened.nowMs = Date.now();
    swarm = new LocalSwarm({ nowMs: () => opened.nowMs });
  });
  afterEach(() => {
    directory?.close();
    directory = undefined;
    swarm.close();
  });
  return opened;
}
