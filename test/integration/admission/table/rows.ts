/** All rows: the table, and the attacks with stolen tokens. */

import { AGENT_ATTACKS } from './attacks-agent.ts';
import { CONTROLLER_ATTACKS } from './attacks-controller.ts';
import { CONTROLLER_WRITE_ATTACKS } from './attacks-controller-writes.ts';
import { EDITOR_ATTACKS } from './attacks-editor.ts';
import { EDITOR_KEPT_ATTACKS } from './attacks-editor-kept.ts';
import { WEBHOOK_ATTACKS } from './attacks-webhook.ts';
import { WEBHOOK_OTHER_ATTACKS } from './attacks-webhook-others.ts';
import type { Row } from './row.ts';
import { AGENT_ROWS, GITOPS_ROWS, LEASHED_ROWS, PROCESS_ROWS } from './rows-accounts.ts';
import { ADMIN_CLUSTER_ROWS } from './rows-admin-cluster.ts';
import { ADMIN_IDENTITY_ROWS } from './rows-admin-identities.ts';
import { ADMIN_LIMIT_ROWS } from './rows-admin-limits.ts';
import { ADMIN_POLICY_ROWS } from './rows-admin-policies.ts';
import { AUTHOR_ROWS } from './rows-author.ts';
import { EDITOR_ROWS, RESPONDER_ROWS, SECURITY_ROWS } from './rows-people.ts';

/** What people and processes do all day, allowed and refused. */
export const TABLE: readonly Row[] = [
  ...ADMIN_IDENTITY_ROWS,
  ...ADMIN_POLICY_ROWS,
  ...ADMIN_LIMIT_ROWS,
  ...ADMIN_CLUSTER_ROWS,
  ...EDITOR_ROWS,
  ...AUTHOR_ROWS,
  ...SECURITY_ROWS,
  ...RESPONDER_ROWS,
  ...GITOPS_ROWS,
  ...LEASHED_ROWS,
  ...AGENT_ROWS,
  ...PROCESS_ROWS,
];

/** What is refused to whoever stole a token, with our processes and without. */
export const ATTACKS: readonly Row[] = [
  ...CONTROLLER_ATTACKS,
  ...CONTROLLER_WRITE_ATTACKS,
  ...WEBHOOK_ATTACKS,
  ...WEBHOOK_OTHER_ATTACKS,
  ...EDITOR_ATTACKS,
  ...EDITOR_KEPT_ATTACKS,
  ...AGENT_ATTACKS,
];
