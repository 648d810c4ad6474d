/** What is said and measured while the authority cannot be written or read. Whoever signs goes on meanwhile. */

import { AUTHORITY_SECRET_NAME, AUTHORITY_STATE_NAME } from '../../api/group.ts';
import type { Outcome } from '../../kube/controller.ts';
import { isKubeError, type KubeErrorCode } from '../../kube/errors.ts';
import type { AuthorityBook } from './authority-book.ts';
import { type AuthorityEvent, stallEvent } from './authority-events.ts';
import type { AuthorityKeeper } from './authority-keeper.ts';

/** What it needs. */
export interface StallPorts {
  readonly namespace: string;
  readonly book: Pick<AuthorityBook, 'refuse' | 'state'>;
  readonly keeper: Pick<AuthorityKeeper, 'isSound' | 'adopt'>;
  readonly observer: { stalled(isStalled: boolean): void };
  readonly tell: (event: AuthorityEvent) => void;
}

/** Somebody else was first, or this process ends: the next look tells. */
const PASSING: readonly KubeErrorCode[] = [
  'KUBE_CONFLICT',
  'KUBE_ALREADY_EXISTS',
  'KUBE_ABORTED',
  'KUBE_LEASE_NOT_HELD',
];
/** What a server refuses stays refused; whatever else goes wrong is told when it did so often in a row. */
const REFUSED: readonly KubeErrorCode[] = ['KUBE_FORBIDDEN', 'KUBE_INVALID'];
const TOLD_AFTER_FAILURES = 3;

/** One for the process. */
export class AuthorityStall {
  readonly #ports: StallPorts;
  #isTold = false;
  #failures = 0;

  constructor(ports: StallPorts) {
    this.#ports = ports;
  }

  /** A look came to its end; one that found a Secret which nobody may use has stalled all the same. */
  isOver({ kind }: Outcome): void {
    this.#failures = 0;
    this.#isTold = false;
    this.#ports.observer.stalled(kind === 'stalled');
  }

  /** A look ended with this. Told once, until a look comes to its end. */
  because(error: unknown): void {
    const { book, keeper, namespace, observer, tell } = this.#ports;
    if (!isKubeError(error) || PASSING.includes(error.code)) return;
    this.#failures += 1;
    observer.stalled(true);
    const isRefused = REFUSED.includes(error.code);
    if (!isRefused && this.#failures < TOLD_AFTER_FAILURES) return;
    // A leader that has just begun signs with what the one before has left.
    if (keeper.isSound && book.state.kind !== 'ready') keeper.adopt();
    if (isRefused) book.refuse(refusalMessage(namespace, error.message));
    if (this.#isTold) return;
    this.#isTold = true;
    tell(stallEvent(error.message, book.state.kind === 'ready' ? book.state.signing.id : undefined));
  }
}

function refusalMessage(namespace: string, problem: string): string {
  return `Secret ${namespace}/${AUTHORITY_SECRET_NAME} or ConfigMap ${AUTHORITY_STATE_NAME} could not be written: ${problem}. See that Role agent-trust-controller is there and that no quota or policy forbids it; helm upgrade puts the Role back.`;
}
