/** Entry of the webhook process. */

import { runProcess } from './run-process.ts';
import { parseWebhookConfig } from './webhook-config.ts';
import { WEBHOOK_GRACE_MS, webhookComponents } from './webhook-parts.ts';

await runProcess({
  parsed: parseWebhookConfig(process.argv.slice(2)),
  components: webhookComponents,
  withoutNamespaces: 'no namespace is governed: only boundaries will be reviewed; set --namespaces',
  graceMs: WEBHOOK_GRACE_MS,
});
