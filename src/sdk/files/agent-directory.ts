/** The folder of an agent, read again whenever something is written into it. */

import { Listeners } from '../listeners.ts';
import { loadFailure } from '../load-failed.ts';
import { type AgentFiles, readAgentFiles } from './agent-files.ts';
import { type FileProblem, fileProblem } from './file-problem.ts';
import { readFolder, SUBFOLDERS } from './folder-reading.ts';
import { FolderWatch } from './folder-watch.ts';

/** How a folder is read. */
export interface DirectoryOptions {
  /** Milliseconds since the Unix epoch. */
  readonly nowMs?: () => number;
  /** How often to look beside the events of the file system; default 10,000. */
  readonly pollMs?: number;
}

interface State {
  readonly files: AgentFiles;
  readonly problems: readonly FileProblem[];
  /** Of the reading that `problems` are about; undefined when it has to be made again. */
  readonly version: string | undefined;
}

const POLL_MS = 10_000;
const UNUSABLE: FileProblem = fileProblem('folder_unreadable', '', 'Nothing in the folder can be used.');

/** The files of this moment. Keeps no process alive. Has to be closed. */
export class AgentDirectory {
  readonly #dir: string;
  readonly #nowMs: () => number;
  readonly #watch: FolderWatch;
  readonly #changed = new Listeners<void>();
  readonly #troubled = new Listeners<FileProblem>();
  #state: State;
  #reading: Promise<void> | undefined;
  #isOutdated = false;
  #isClosed = false;

  private constructor(dir: string, first: State, { nowMs = Date.now, pollMs = POLL_MS }: DirectoryOptions) {
    this.#dir = dir;
    this.#nowMs = nowMs;
    this.#state = first;
    this.#watch = new FolderWatch(dir, { subfolders: SUBFOLDERS, pollMs }, () => {
      this.reload().catch((error: Error) => process.emitWarning(error));
    });
  }

  /**
   * Opens the folder of an agent.
   *
   * @throws LoadFailed when there is no identity or no key to sign with: in Kubernetes a pod does not start before they are
   *   there, so waiting does not help.
   */
  static async open(dir: string, options: DirectoryOptions = {}): Promise<AgentDirectory> {
    const reading = await readFolder(dir);
    if (reading.kind !== 'reading') throw loadFailure(reading.kind === 'problem' ? reading : UNUSABLE);
    const { nowMs = Date.now } = options;
    const { files, problems } = readAgentFiles(reading.files, undefined, nowMs());
    if (files === undefined) throw loadFailure(problems[0] ?? UNUSABLE);
    return new AgentDirectory(dir, { files, problems, version: undefined }, options);
  }

  /** What counts now. */
  get current(): AgentFiles {
    return this.#state.files;
  }

  /** What of the last reading is not right, and that the bundle has ended. */
  get problems(): readonly FileProblem[] {
    return this.#state.problems;
  }

  /** Calls the listener after `current` was replaced, until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    return this.#changed.add(listener);
  }

  /** Calls the listener with each problem that was not there before. */
  onProblem(listener: (problem: FileProblem) => void): () => void {
    return this.#troubled.add(listener);
  }

  /** Reads what was written until now. Errors: none. */
  reload(): Promise<void> {
    this.#isOutdated = true;
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    this.#changed.clear();
    this.#troubled.clear();
  }

  async #readAll(): Promise<void> {
    try {
      while (this.#isOutdated && !this.#isClosed) {
        this.#isOutdated = false;
        this.#replace(await this.#read());
      }
    } finally {
      // In the same turn as the last look at the flag, so that nothing written is overlooked.
      this.#reading = undefined;
    }
  }

  async #read(): Promise<State> {
    const { files: known, version } = this.#state;
    const reading = await readFolder(this.#dir, version);
    const nowMs = this.#nowMs();
    if (reading.kind === 'unchanged') return { files: known, problems: endOf(known, nowMs), version };
    if (reading.kind === 'problem') return { files: known, problems: [reading], version: undefined };
    const { files = known, problems } = readAgentFiles(reading.files, known, nowMs);
    // What is wrong may be so because of the clock, or because somebody is still writing: then it is read again.
    const seen = problems.length === 0 ? reading.version : undefined;
    return { files, problems: [...problems, ...endOf(files, nowMs)], version: seen };
  }

  #replace(state: State): void {
    const before = this.#state;
    if (this.#isClosed) return;
    this.#state = state;
    if (state.files !== before.files) this.#changed.tell();
    const known = new Set(before.problems.map(({ message }) => message));
    for (const problem of state.problems) if (!known.has(problem.message)) this.#troubled.tell(problem);
  }
}

function endOf({ bundle }: AgentFiles, nowMs: number): readonly FileProblem[] {
  if (bundle === undefined || nowMs < bundle.claims.exp * 1000) return [];
  const message = `The bundle ended at ${new Date(bundle.claims.exp * 1000).toISOString()} and there is no newer one: all is refused.`;
  return [fileProblem('bundle_expired', 'bundle/bundle.jws', message)];
}
