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

/** `force`: a generation signs although it is not seen everywhere. `rebuild`: phases were lost and are found again. */
const STEPS = ['make', 'activate', 'force', 'taint', 'drop', 'rebuild'] as const;

type AuthorityStepName = (typeof STEPS)[number];

/** Where the authority reports to. */
export interface AuthorityMetrics {
  saw(authority: MeasuredAuthority): void;
  acted(step: AuthorityStepName): void;
  stalled(isStalled: boolean): void;
}

/** Registers `agent_trust_authority_*` metrics. Call once for a registry. */
export function authorityMetrics(registry: Registry): AuthorityMetrics {
  const registers = [registry];
  let last: MeasuredAuthority | undefined;
  const steps = new Counter({
    name: 'agent_trust_authority_steps_total',
    help: 'Generations of the authority that were made, began to sign (activate), did so although not seen everywhere (force), were tainted or dropped; and how often their phases were lost and found again (rebuild).',
    labelNames: ['step'],
    registers,
  });
  for (const step of STEPS) steps.inc({ step }, 0);
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
  const stalled = new Gauge({
    name: 'agent_trust_authority_stalled',
    help: '1 while what is due cannot be written or read: the generation that signs goes on, and nothing else happens.',
    registers,
  });
  return {
    saw(authority) {
      last = authority;
    },
    acted: (step) => steps.inc({ step }),
    stalled: (isStalled) => stalled.set(Number(isStalled)),
  };
}
