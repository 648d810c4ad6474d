/** What lasts from one run to the next: the authority, the keys of agents, and what must never go back. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { IssuedLeaf } from '../crypto/leaf.ts';
import type { LeafProfile } from '../domain/certificate/profile.ts';
import type { RevokedLeaf } from '../domain/crl/revoked-leaves.ts';
import type { AgentId } from '../domain/delegation/facts.ts';
import type { LedgerLine } from '../domain/ledger/ledger-line.ts';
import type { SigningDataKey } from '../domain/signing/facts.ts';
import type { Revocation } from '../domain/token/state/revocations-file.ts';
import type { ObjectBirth } from './apply.ts';
import { codeOf, DevFailure } from './dev-failure.ts';

/** A generation of the authority, PEM. */
export interface StoredGeneration {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A certificate, for which profile it was made, and by which generation. */
export interface StoredLeaf extends IssuedLeaf {
  readonly profile: LeafProfile;
  readonly authorityId: string;
}

/** The data of a signing Secret. */
export type SigningFiles = Readonly<Record<SigningDataKey, string>>;

/** What is kept of one agent. */
export interface StoredAgent {
  readonly leaf: StoredLeaf;
  readonly signing: SigningFiles;
}

/** Certificates of agents, those that are gone too. */
export interface StoredLeaves {
  /** Every leaf that was made and has not ended long ago. */
  readonly leaves: readonly LedgerLine[];
  readonly revoked: readonly RevokedLeaf[];
}

/** All of it. */
export interface DevState {
  readonly version: 1;
  readonly trustDomain: string;
  /** Oldest first. */
  readonly generations: readonly StoredGeneration[];
  readonly births: Readonly<Record<string, ObjectBirth>>;
  readonly agents: Readonly<Record<AgentId, StoredAgent>>;
  /** Of the last bundle, by namespace. */
  readonly sequences: Readonly<Record<string, number>>;
  /** Also those whose objects are gone. */
  readonly revocations: readonly Revocation[];
  /** Absent in what earlier versions wrote. */
  readonly leaves?: StoredLeaves;
}

const STATE_FILE = 'state.json';
const LOCK_FILE = '.lock';
const LISTS = ['generations', 'revocations'] as const;
const RECORDS = ['births', 'agents', 'sequences'] as const;

/**
 * The folder, for one process at a time.
 *
 * @throws DevFailure when it cannot be written, is somebody else's, or is in use.
 */
export class StateFolder {
  readonly #folder: string;
  #written = '';

  constructor(folder: string) {
    this.#folder = folder;
    writing(folder, () => {
      makeFolder(folder);
      const names = readdirSync(folder);
      if (names.length > 0 && !names.includes(STATE_FILE) && !names.includes(LOCK_FILE))
        throw new DevFailure(
          'cannotCreate',
          `${folder} is not empty and holds nothing of agent-trust dev. Name a new folder with --out.`,
        );
      this.#lock();
      chmodSync(folder, 0o700);
      writeFileSync(join(folder, '.gitignore'), '*\n');
    });
  }

  /**
   * What there is; nothing in a new folder.
   *
   * @throws DevFailure when it cannot be read, or is of another trust domain.
   */
  read(trustDomain: string): DevState {
    const state = this.#read() ?? {
      version: 1,
      trustDomain,
      generations: [],
      births: {},
      agents: {},
      sequences: {},
      revocations: [],
    };
    if (state.trustDomain === trustDomain) return state;
    const way = `Take --trust-domain=${state.trustDomain}, or name another folder with --out.`;
    throw new DevFailure('data', `${this.#folder} was made for trust domain ${state.trustDomain}. ${way}`);
  }

  /** Replaces it at one instant. */
  write(state: DevState): void {
    const text = JSON.stringify(state);
    if (text === this.#written) return;
    writing(this.#folder, () => {
      const next = join(this.#folder, `${STATE_FILE}.tmp`);
      writeFileSync(next, text, { mode: 0o600 });
      renameSync(next, join(this.#folder, STATE_FILE));
    });
    this.#written = text;
  }

  /** Lets others have the folder; removes it when nothing was ever written. */
  close(): void {
    rmSync(join(this.#folder, LOCK_FILE), { force: true });
    const names = existsSync(this.#folder) ? readdirSync(this.#folder) : [];
    if (names.length === 1 && names[0] === '.gitignore') rmSync(this.#folder, { recursive: true });
  }

  #lock(): void {
    const lock = join(this.#folder, LOCK_FILE);
    for (let tries = 0; ; tries++) {
      try {
        writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
        return;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' || tries > 1) throw error;
        const holder = Number(readFileSync(lock, 'utf8'));
        if (isAlive(holder))
          throw new DevFailure(
            'inUse',
            `${this.#folder} is kept by another agent-trust dev (process ${holder}). End that one, or name another folder with --out.`,
          );
        rmSync(lock, { force: true });
      }
    }
  }

  #read(): DevState | undefined {
    const file = join(this.#folder, STATE_FILE);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new DevFailure('data', `${file} cannot be read (${codeOf(error)})`);
    }
    const state = parsed(text);
    if (state !== undefined) return state;
    throw new DevFailure(
      'data',
      `${file} is not what agent-trust dev wrote. Delete ${this.#folder}: all is made anew.`,
    );
  }
}

/** Makes a folder and those above it. One by one: for all at once Node never ends where the kernel makes none, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Runs what writes below a folder. @throws DevFailure when the file system refuses. */
export function writing<T>(folder: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof DevFailure) throw error;
    throw new DevFailure(
      'cannotCreate',
      `${folder} cannot be written (${codeOf(error)}). Name another folder with --out.`,
    );
  }
}

/** Only its outline is looked at: nobody but this program may write there. */
function parsed(text: string): DevState | undefined {
  try {
    const state = JSON.parse(text) as DevState;
    const isWhole =
      state.version === 1 &&
      LISTS.every((name) => Array.isArray(state[name])) &&
      RECORDS.every((name) => typeof state[name] === 'object');
    return isWhole ? state : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
