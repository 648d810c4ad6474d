/** Reviews of the webhook and its certificate as metrics. Labels are few and bounded; no name of an object is one. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Where reviews are reported to. */
export interface AdmissionMetrics {
  /** `plural` and `answer` become labels, so they must come from code. */
  reviewed(plural: string, answer: string, seconds: number): void;
}

/** What the gauges are read from. */
export interface AdmissionGauges {
  /** Last valid second of the certificate that is served, seconds since the Unix epoch; undefined without one. */
  certificateNotAfterSeconds(): number | undefined;
}

/** From what the goal is, 2 to 5 ms, to the time after which the API server gives up. */
const BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 0.5, 5];

/** Registers `agent_trust_admission_*` and `agent_trust_webhook_*` metrics. Call once for a registry. */
export function admissionMetrics(registry: Registry, gauges: AdmissionGauges): AdmissionMetrics {
  const registers = [registry];
  const reviews = new Counter({
    name: 'agent_trust_admission_reviews_total',
    help: 'Reviews, by kind and answer: allowed, refused, failed (an error, refused for that) or unreadable.',
    labelNames: ['kind', 'answer'],
    registers,
  });
  const seconds = new Histogram({
    name: 'agent_trust_admission_review_seconds',
    help: 'Time to decide a review, once it has arrived whole.',
    labelNames: ['kind'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  new Gauge({
    name: 'agent_trust_webhook_certificate_not_after_timestamp_seconds',
    help: 'End of the certificate that the webhook serves, seconds since the Unix epoch.',
    registers,
    collect() {
      const notAfter = gauges.certificateNotAfterSeconds();
      if (notAfter === undefined) this.reset();
      else this.set(notAfter);
    },
  });
  return {
    reviewed(plural, answer, took) {
      reviews.inc({ kind: plural, answer });
      seconds.observe({ kind: plural }, took);
    },
  };
}
