/** The order and the life of keys in a work queue, written down naively: arrays, searched and sorted each time. */

import type { Key } from '../../src/kube/object.ts';
import type { Priority } from '../../src/kube/ready-keys.ts';

const CLASSES: readonly Priority[] = ['urgent', 'normal', 'background'];

interface Waiting {
  readonly key: Key;
  readonly priority: Priority;
  readonly dueMs: number;
}

interface Timed {
  readonly key: Key;
  readonly priority: Priority;
  readonly atMs: number;
}

interface Run {
  readonly key: Key;
  readonly priority: Priority;
  again: Waiting | undefined;
}

function groupOf(key: Key): string {
  return key.split('/')[0] ?? '';
}

function better(a: Priority, b: Priority): Priority {
  return CLASSES.indexOf(a) <= CLASSES.indexOf(b) ? a : b;
}

function merge(a: Waiting | undefined, b: Waiting): Waiting {
  if (a === undefined) return b;
  return { key: b.key, priority: better(a.priority, b.priority), dueMs: Math.min(a.dueMs, b.dueMs) };
}

/** One clock for both kinds of schedule, and no jitter. */
export class QueueModel {
  nowMs = 0;
  ready: Waiting[] = [];
  running: Run[] = [];
  delays: Timed[] = [];
  appointments: Timed[] = [];
  failures: Key[] = [];
  turns: Record<Priority, string[]> = { urgent: [], normal: [], background: [] };

  add(key: Key, priority: Priority, dueMs: number = this.nowMs): void {
    const run = this.running.find((other) => other.key === key);
    if (run !== undefined) {
      run.again = merge(run.again, { key, priority, dueMs });
      return;
    }
    this.#wait(
      merge(
        this.ready.find((other) => other.key === key),
        { key, priority, dueMs },
      ),
    );
  }

  addAfter(key: Key, delayMs: number, priority: Priority): void {
    const pending = this.delays.find((other) => other.key === key);
    const atMs = Math.min(this.nowMs + Math.max(0, delayMs), pending?.atMs ?? Number.POSITIVE_INFINITY);
    this.delays = this.delays.filter((other) => other.key !== key);
    this.delays.push({ key, atMs, priority: better(priority, pending?.priority ?? priority) });
    if (delayMs <= 0) this.#release();
  }

  addAt(key: Key, atMs: number, priority: Priority): void {
    this.appointments = this.appointments.filter((other) => other.key !== key);
    this.appointments.push({ key, atMs, priority });
    if (atMs <= this.nowMs) this.#release();
  }

  cancelAt(key: Key): void {
    this.appointments = this.appointments.filter((other) => other.key !== key);
  }

  retry(key: Key): void {
    const failures = this.failures.filter((other) => other === key).length;
    this.failures.push(key);
    const run = this.running.find((other) => other.key === key);
    this.addAfter(key, Math.min(1000, 100 * 2 ** failures), run?.priority ?? 'normal');
  }

  forget(key: Key): void {
    this.failures = this.failures.filter((other) => other !== key);
  }

  remove(key: Key): void {
    this.forget(key);
    this.cancelAt(key);
    this.delays = this.delays.filter((other) => other.key !== key);
    this.#leave(key);
    for (const run of this.running) if (run.key === key) run.again = undefined;
  }

  get(): Key | undefined {
    const priority = CLASSES.find((name) => this.turns[name].length > 0);
    const group = priority === undefined ? undefined : this.turns[priority][0];
    const [next] = this.ready
      .filter((waiting) => waiting.priority === priority && groupOf(waiting.key) === group)
      .toSorted((a, b) => a.dueMs - b.dueMs);
    if (next === undefined || priority === undefined || group === undefined) return undefined;
    this.turns[priority] = [...this.turns[priority].slice(1), group];
    this.#leave(next.key);
    this.running.push({ key: next.key, priority, again: undefined });
    return next.key;
  }

  done(key: Key): void {
    const run = this.running.find((other) => other.key === key);
    this.running = this.running.filter((other) => other.key !== key);
    if (run?.again !== undefined) this.#wait(run.again);
  }

  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    const due = [...this.delays, ...this.appointments].map(({ atMs }) => atMs).toSorted((a, b) => a - b);
    for (const atMs of due.filter((instant) => instant <= endMs)) {
      this.nowMs = Math.max(this.nowMs, atMs);
      this.#release();
    }
    this.nowMs = endMs;
  }

  #release(): void {
    for (const name of ['delays', 'appointments'] as const) {
      const due = this[name].filter(({ atMs }) => atMs <= this.nowMs);
      this[name] = this[name].filter(({ atMs }) => atMs > this.nowMs);
      for (const { key, priority, atMs } of due.toSorted((a, b) => a.atMs - b.atMs))
        this.add(key, priority, atMs);
    }
  }

  #wait(waiting: Waiting): void {
    const before = this.ready.find((other) => other.key === waiting.key);
    if (before?.priority === waiting.priority && before.dueMs === waiting.dueMs) return;
    this.#leave(waiting.key);
    this.ready.push(waiting);
    const turns = this.turns[waiting.priority];
    if (!turns.includes(groupOf(waiting.key))) turns.push(groupOf(waiting.key));
  }

  #leave(key: Key): void {
    this.ready = this.ready.filter((other) => other.key !== key);
    for (const name of CLASSES) {
      this.turns[name] = this.turns[name].filter((group) =>
        this.ready.some((other) => other.priority === name && groupOf(other.key) === group),
      );
    }
  }
}
