/** Who asks in the admission table, and with which roles. */

import type { ServiceAccountName } from '../../../../hack/control-plane/service-account.ts';
import { OPERATOR_NAMESPACE } from '../../../../hack/operator/install-chart.ts';

/** Namespaces of the table: two that are governed, one that is not, one of a GitOps controller. */
export const AGENTS: string = 'ai-agents';
export const DATA: string = 'ai-data';
export const ELSEWHERE: string = 'elsewhere';
export const GITOPS: string = 'gitops';

/** A ClusterRole, in namespaces or everywhere. */
export interface Grant {
  readonly role: string;
  readonly namespaces?: readonly string[];
}

/** Somebody. Without `account` a person. */
export interface User {
  readonly name: UserName;
  /** For readers of the table. */
  readonly means: string;
  readonly account?: ServiceAccountName;
  readonly grants: readonly Grant[];
}

/** Names of the users. */
export type UserName =
  | 'cluster admin'
  | 'namespace editor'
  | 'author'
  | 'security'
  | 'responder'
  | 'GitOps controller'
  | 'GitOps controller beside agents'
  | 'GitOps controller that may administer'
  | 'agent'
  | 'agent with every role'
  | 'controller'
  | 'webhook';

const GOVERNED = [AGENTS, DATA];

/** The right to tokens of two accounts that authors make agents of; the tests make the role. */
export const TOKEN_ROLE = 'make-agents';
/** The verb administer; the tests make the role. */
export const ADMINISTER_ROLE = 'administer-agents';

/** All of them, in the order of the table. */
export const USERS: readonly User[] = [
  {
    name: 'cluster admin',
    means: 'ClusterRole `cluster-admin`',
    grants: [{ role: 'cluster-admin' }],
  },
  {
    name: 'namespace editor',
    means: `built-in ClusterRole \`edit\` in ${AGENTS}`,
    grants: [{ role: 'edit', namespaces: [AGENTS] }],
  },
  {
    name: 'author',
    means: `\`agent-trust-author\` in ${AGENTS} and ${DATA}, and tokens of the ServiceAccounts that become agents`,
    grants: [
      { role: 'agent-trust-author', namespaces: GOVERNED },
      { role: TOKEN_ROLE, namespaces: GOVERNED },
    ],
  },
  {
    name: 'security',
    means: '`agent-trust-security` in the whole cluster',
    grants: [{ role: 'agent-trust-security' }],
  },
  {
    name: 'responder',
    means: `\`agent-trust-responder\` in ${AGENTS} and ${DATA}`,
    grants: [{ role: 'agent-trust-responder', namespaces: GOVERNED }],
  },
  {
    name: 'GitOps controller',
    means: `a ServiceAccount of ${GITOPS} with \`agent-trust-author\`, \`agent-trust-security\` and tokens in ${AGENTS} and ${DATA}`,
    account: { namespace: GITOPS, name: 'deployer' },
    grants: [
      { role: 'agent-trust-author', namespaces: GOVERNED },
      { role: 'agent-trust-security', namespaces: GOVERNED },
      { role: TOKEN_ROLE, namespaces: GOVERNED },
    ],
  },
  {
    name: 'GitOps controller beside agents',
    means: `the same roles, but a ServiceAccount of ${AGENTS}`,
    account: { namespace: AGENTS, name: 'gitops' },
    grants: [
      { role: 'agent-trust-author', namespaces: GOVERNED },
      { role: 'agent-trust-security', namespaces: GOVERNED },
      { role: TOKEN_ROLE, namespaces: GOVERNED },
    ],
  },
  {
    name: 'GitOps controller that may administer',
    means: `the same, with the verb administer in ${AGENTS}`,
    account: { namespace: AGENTS, name: 'administrator' },
    grants: [
      { role: 'agent-trust-author', namespaces: GOVERNED },
      { role: 'agent-trust-security', namespaces: GOVERNED },
      { role: TOKEN_ROLE, namespaces: GOVERNED },
      { role: ADMINISTER_ROLE, namespaces: [AGENTS] },
    ],
  },
  {
    name: 'agent',
    means: `the ServiceAccount of agent planner of ${AGENTS}, which has no role`,
    account: { namespace: AGENTS, name: 'planner' },
    grants: [],
  },
  {
    name: 'agent with every role',
    means: `the ServiceAccount of agent analyst of ${AGENTS}, whose team gave it \`edit\`, \`agent-trust-author\`, \`agent-trust-security\` and tokens`,
    account: { namespace: AGENTS, name: 'analyst' },
    grants: [
      { role: 'edit', namespaces: [AGENTS] },
      { role: 'agent-trust-author', namespaces: GOVERNED },
      { role: 'agent-trust-security', namespaces: GOVERNED },
      { role: TOKEN_ROLE, namespaces: GOVERNED },
    ],
  },
  {
    name: 'controller',
    means: 'the real token of the controller',
    account: { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-controller' },
    grants: [],
  },
  {
    name: 'webhook',
    means: 'the real token of the webhook',
    account: { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-webhook' },
    grants: [],
  },
];
