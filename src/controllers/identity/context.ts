/** What one reconcile of an identity works with. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { CertificateFacts } from '../../domain/certificate/facts.ts';
import type { RejectedLeaf } from '../../domain/certificate/plan.ts';
import type { TrustSettings } from '../../domain/certificate/profile.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Outcome } from '../../kube/controller.ts';
import type { Key } from '../../kube/object.ts';
import type { ReissueTurns } from '../authority/reissue-turns.ts';
import type { IssuancePort } from '../issuance/answer.ts';
import type { Burial } from '../mesh/bury.ts';
import type { MeshInput } from '../mesh/mesh-ports.ts';
import type { MeshOutcome } from '../mesh/outcome.ts';
import type { FilesReport, PodsInput } from '../pods/pod-reporter.ts';
import type { SigningInput } from '../signing/keep-keys.ts';
import type { SigningOutcome } from '../signing/outcome.ts';
import type { ActPorts } from './act.ts';
import type { Attempts } from './attempts.ts';
import type { GatherPorts, IdentityInputs } from './gather.ts';
import type { IdentityEvents } from './identity-events.ts';
import type { KnownRoots } from './known-roots.ts';
import type { IdentityReport } from './status.ts';

/** What the reconciler is made of. */
export interface IdentityPorts extends Omit<GatherPorts, 'contested' | 'client'>, Omit<ActPorts, 'client'> {
  readonly client: GatherPorts['client'] & ActPorts['client'] & Pick<KubeClient, 'listPage'>;
  readonly settings: TrustSettings;
  /** What may stand in a trust bundle. */
  readonly roots: KnownRoots;
  readonly nowMs: () => number;
  readonly attempts: Attempts;
  /** What is to be said against a leaf that a trusted authority has signed. */
  readonly rejected: (leaf: CertificateFacts) => RejectedLeaf | undefined;
  /** Turns of those whose leaf is replaced because its authority is tainted. */
  readonly turns: Pick<ReissueTurns, 'take'>;
  readonly events: IdentityEvents;
  readonly mesh: MeshPort;
  readonly pods: PodsPort;
  readonly signing: SigningPort;
  /** Issuers other than the built-in authority. */
  readonly issuance: IssuancePort;
  /** Writes status when it differs from what is stored. */
  readonly report: (identity: AgentIdentity, report: IdentityReport, signal: AbortSignal) => Promise<void>;
}

/** Keeps the mesh objects of identities. */
export interface MeshPort {
  /** Never throws for what the API server answers. */
  keep(input: MeshInput, signal: AbortSignal): Promise<MeshOutcome>;
  /** Of an identity that is gone. @throws KubeError. */
  bury(key: Key, signal: AbortSignal): Promise<Burial>;
}

/** Looks at the pods of identities; asks no server. */
export interface PodsPort {
  report(input: PodsInput): FilesReport;
  /** The identity is gone. */
  forget(key: Key): void;
}

/** Keeps the signing keys of identities. */
export interface SigningPort {
  /** Never throws for what the API server answers. */
  keep(input: SigningInput, signal: AbortSignal): Promise<SigningOutcome>;
  /** They were wiped, or the identity is gone. */
  forget(key: Key): void;
}

/** What came of a reconcile: what to say, and when to look again. */
export interface Result {
  readonly report: IdentityReport;
  readonly outcome: Outcome;
}

/** One reconcile of one identity. */
export interface Context {
  readonly ports: IdentityPorts;
  readonly key: Key;
  readonly inputs: IdentityInputs;
  /** What came of the mesh objects, which are written first. */
  readonly mesh: MeshOutcome;
  /** What is seen of its pods. */
  readonly files: FilesReport;
  /** What came of its signing keys. */
  readonly signing: SigningOutcome;
  /** The Secret was read from the server, because an earlier write showed that the cache may be behind. */
  readonly wasContested: boolean;
  readonly signal: AbortSignal;
}
