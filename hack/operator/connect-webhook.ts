/**
 * Lets an API server that has no network of Services ask a webhook on this machine, through what the chart installed: the
 * Service becomes another name of this machine, and each webhook asks on the port that is given. Who is trusted, and
 * under which name, stays as it is.
 */

import { WEBHOOK_CONFIGURATION_NAME, WEBHOOK_NAME } from '../../src/api/group.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { OPERATOR_NAMESPACE } from './install-chart.ts';

const CONFIGURATIONS = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'] as const;

/** Makes it ask `127.0.0.1:<port>`. It may take the API server a moment to see it. */
export async function connectWebhook(
  controlPlane: Pick<ControlPlane, 'kubectl'>,
  port: number,
): Promise<void> {
  const service = { spec: { type: 'ExternalName', externalName: 'localhost', selector: null } };
  await patch(controlPlane, ['service', WEBHOOK_NAME, '-n', OPERATOR_NAMESPACE, '--type=merge'], service);
  for (const plural of CONFIGURATIONS) {
    const name = WEBHOOK_CONFIGURATION_NAME;
    const { stdout } = await controlPlane.kubectl(['get', plural, name, '-o', 'json']);
    const { webhooks = [] } = JSON.parse(stdout) as { webhooks?: readonly unknown[] };
    const path = (at: number): string => `/webhooks/${at}/clientConfig/service/port`;
    const steps = webhooks.map((_webhook, at) => ({ op: 'replace', path: path(at), value: port }));
    await patch(controlPlane, [plural, name, '--type=json'], steps);
  }
}

async function patch(
  controlPlane: Pick<ControlPlane, 'kubectl'>,
  target: readonly string[],
  change: unknown,
): Promise<void> {
  await controlPlane.kubectl(['patch', ...target, `--patch=${JSON.stringify(change)}`]);
}
