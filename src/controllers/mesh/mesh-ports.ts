/** What keeping the mesh objects of identities is made of. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { DelegationView } from '../../cluster/delegation-view.ts';
import type { GraphBook } from '../../cluster/graph-book.ts';
import type { RefusalReason } from '../../domain/identity/eligibility.ts';
import type { ResolvedServer } from '../../domain/mesh/resolve-server.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { KeepPorts } from './keep-objects.ts';
import type { MeshEvents } from './mesh-events.ts';
import type { MeshView } from './mesh-view.ts';

/** What it reads and writes. */
export interface MeshPorts {
  readonly view: ClusterView;
  readonly mesh: MeshView;
  readonly namespaces: DelegationView['namespaces'];
  readonly book: Pick<GraphBook, 'graph' | 'isComplete' | 'missing'>;
  /** Its writes need the Lease. */
  readonly client: KeepPorts['client'] & Pick<KubeClient, 'listPage'>;
  readonly settings: MeshSettings;
  readonly events: MeshEvents;
  readonly nowMs: () => number;
}

/** Settings of the operator that concern the mesh. */
export interface MeshSettings {
  readonly trustDomain: string;
  /** Name of the ext_authz provider in the mesh config; undefined: no tokens are checked in front of agents. */
  readonly authorizerProvider: string | undefined;
}

/** An identity, and what was found out about it. */
export interface MeshInput {
  readonly identity: AgentIdentity;
  readonly serviceAccountName: string;
  readonly server: ResolvedServer;
  /** Why it is not served, if it is not. */
  readonly refusal: RefusalReason | undefined;
}
