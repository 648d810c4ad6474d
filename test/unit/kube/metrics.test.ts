/** Names, labels and values of the metrics. */

import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { KubeMetrics } from '../../../src/kube/metrics.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';

/** The samples of all metrics whose name starts with `prefix`, without buckets. */
async function samples(prefix: string, act: (metrics: KubeMetrics) => void): Promise<readonly string[]> {
  const registry = new Registry();
  act(kubeMetrics(registry));
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(prefix) && !line.includes('_bucket{'));
}

describe('kubeMetrics', () => {
  it('counts requests as client-go does', async () => {
    const lines = await samples('rest_client_', ({ requests }) => {
      requests.requestFinished({
        verb: 'apply',
        method: 'PATCH',
        code: '200',
        host: 'api:443',
        seconds: 0.5,
      });
      requests.requestRetried({ method: 'PATCH', code: '429', host: 'api:443' });
    });
    expect(lines).to.deep.equal([
      'rest_client_requests_total{code="200",method="PATCH",host="api:443"} 1',
      'rest_client_request_duration_seconds_sum{verb="apply",host="api:443"} 0.5',
      'rest_client_request_duration_seconds_count{verb="apply",host="api:443"} 1',
      'rest_client_request_retries_total{code="429",method="PATCH",host="api:443"} 1',
    ]);
  });

  it('reads the gauges of every queue when metrics are collected', async () => {
    const lines = await samples('workqueue_', ({ queue }) => {
      for (const [name, depth] of [
        ['identity', 3],
        ['bundle', 0],
      ] as const) {
        const observer = queue(name);
        observer.attach(() => ({ depth, unfinishedSeconds: 2 * depth, longestRunningSeconds: depth }));
        observer.added();
        observer.delayed();
        observer.started(1);
        observer.finished(2);
      }
    });
    expect(lines.filter((line) => line.includes('"identity"'))).to.deep.equal([
      'workqueue_depth{name="identity"} 3',
      'workqueue_unfinished_work_seconds{name="identity"} 6',
      'workqueue_longest_running_processor_seconds{name="identity"} 3',
      'workqueue_adds_total{name="identity"} 1',
      'workqueue_retries_total{name="identity"} 1',
      'workqueue_queue_duration_seconds_sum{name="identity"} 1',
      'workqueue_queue_duration_seconds_count{name="identity"} 1',
      'workqueue_work_duration_seconds_sum{name="identity"} 2',
      'workqueue_work_duration_seconds_count{name="identity"} 1',
    ]);
    expect(lines).to.include('workqueue_depth{name="bundle"} 0');
  });

  it('counts reconciles as controller-runtime does, and a conflict as no error', async () => {
    const lines = await samples('controller_runtime_', ({ controller }) => {
      const observer = controller('identity');
      observer.attach(32);
      for (const [result, failure] of [
        ['success', undefined],
        ['requeue', 'race'],
        ['error', 'retryable'],
        ['error', 'terminal'],
        ['error', 'bug'],
        ['error', 'timeout'],
      ] as const) {
        observer.reconcileStarted();
        observer.reconcileFinished({ result, failure, seconds: 1 });
      }
      observer.reconcileStarted();
    });
    expect(lines).to.deep.equal([
      'controller_runtime_reconcile_total{controller="identity",result="success"} 1',
      'controller_runtime_reconcile_total{controller="identity",result="requeue"} 1',
      'controller_runtime_reconcile_total{controller="identity",result="error"} 4',
      'controller_runtime_reconcile_time_seconds_sum{controller="identity"} 6',
      'controller_runtime_reconcile_time_seconds_count{controller="identity"} 6',
      'controller_runtime_active_workers{controller="identity"} 1',
      'controller_runtime_max_concurrent_reconciles{controller="identity"} 32',
      'controller_runtime_reconcile_errors_total{controller="identity"} 4',
      'controller_runtime_terminal_reconcile_errors_total{controller="identity"} 1',
      'controller_runtime_reconcile_panics_total{controller="identity"} 1',
      'controller_runtime_reconcile_timeouts_total{controller="identity"} 1',
    ]);
  });

  it('says who leads', async () => {
    const lines = await samples('leader_election_', ({ leader }) => {
      leader('controller').leading(true);
      leader('other').leading(false);
    });
    expect(lines).to.deep.equal([
      'leader_election_master_status{name="controller"} 1',
      'leader_election_master_status{name="other"} 0',
    ]);
  });

  it('counts events sent and given up', async () => {
    const lines = await samples('event_recorder_', ({ events }) => {
      events.sent();
      events.dropped('spam');
    });
    expect(lines).to.deep.equal([
      'event_recorder_sent_total 1',
      'event_recorder_dropped_total{reason="spam"} 1',
    ]);
  });
});
