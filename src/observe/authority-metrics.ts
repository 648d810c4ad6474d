/** The authority as metrics. Generations are few, and their series end with them. */

import { Counter, Gauge, type Registry } from 'prom-client';

/** A generation, as far as it is measured. Instants in milliseconds since the Unix epoch. */
export interface MeasuredGeneration {
  readonly id: string;
  readonly phase: string;
  readonly notAfterMs: number;
  readonly taintedAtMs?: number | undefined;
  /** Secrets that hold a leaf of it. */
  readonly heldLeaves: number;
  readonly reissueTotal?: number | undefined;
}

/** How things stand. */
export interface MeasuredAuthority {
  readonly generations: readonly MeasuredGeneration[];
  /** Namespaces with agents. */
  readonly namespaces: number;
  /** Those that have not been seen to carry the generation that will sign next. */
  readonly lacking: { readonly size: number };
  /** Those of them that are waited for no more. */
  readonly excluded: { readonly size: number };
  readonly problems: readonly string[];
}

/** Where the authority reports to. */
export interface AuthorityMetrics {
  saw(authority: MeasuredAuthority): void;
  acted(step: 'make' | 'activate' | 'taint' | 'drop'): void;
}

/** Registers `agent_trust_authority_*` metrics. Call once for a registry. */
export function authorityMetrics(registry: Registry): AuthorityMetrics {
  const registers = [registry];
  let last: MeasuredAuthority | undefined;
  const steps = new Counter({
    name: 'agent_trust_authority_steps_total',
    help: 'Generations of the authority that were made, began to sign, were tainted or dropped.',
    labelNames: ['step'],
    registers,
  });
  for (const step of ['make', 'activate', 'taint', 'drop']) steps.inc({ step }, 0);
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (gauge: Gauge, authority: MeasuredAuthority) => void,
  ): void => {
    new Gauge({
      name: `agent_trust_authority_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        if (last !== undefined) collect(this, last);
      },
    });
  };
  gauge(
    'generation_not_after_timestamp_seconds',
    'End of each generation, with its phase: prepared, signing or retiring; seconds since the Unix epoch.',
    ['generation', 'phase'],
    (each, { generations }) => {
      for (const { id, phase, notAfterMs } of generations)
        each.set({ generation: id, phase }, notAfterMs / 1000);
    },
  );
  gauge(
    'leaves',
    'Secrets that hold a certificate of each generation.',
    ['generation'],
    (each, { generations }) => {
      for (const { id, heldLeaves } of generations) each.set({ generation: id }, heldLeaves);
    },
  );
  gauge(
    'reissue_leaves',
    'Certificates of a retiring generation that were to be replaced when that began.',
    ['generation', 'tainted'],
    (each, { generations }) => {
      for (const { id, reissueTotal, taintedAtMs } of generations) {
        const labels = { generation: id, tainted: String(taintedAtMs !== undefined) };
        if (reissueTotal !== undefined) each.set(labels, reissueTotal);
      }
    },
  );
  gauge(
    'namespaces',
    'Namespaces with agents, by whether they carry the generation that will sign next: covered, lacking, or excluded.',
    ['coverage'],
    (each, { namespaces, lacking, excluded }) => {
      each.set({ coverage: 'covered' }, namespaces - lacking.size);
      each.set({ coverage: 'lacking' }, lacking.size - excluded.size);
      each.set({ coverage: 'excluded' }, excluded.size);
    },
  );
  gauge(
    'intent_problems',
    'What cannot be read in ConfigMap agent-trust-authority; while it is not 0, nothing of it is done.',
    [],
    (each, { problems }) => each.set(problems.length),
  );
  return {
    saw(authority) {
      last = authority;
    },
    acted: (step) => steps.inc({ step }),
  };
}
