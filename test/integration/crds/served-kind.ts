/** A kind of ours in a real API server, and what its schema says to examples. */

import { expect } from 'chai';
import { after, before, it } from 'mocha';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/object.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { constraintsOf, isMetBy } from './constraints.ts';

/** What people write. */
export type Spec = Readonly<Record<string, unknown>>;

/** An object with a spec, and the status that the server or a test put there. */
export interface Written extends KubeObject {
  readonly spec: Spec;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Specs by what they are examples of. */
export interface Examples {
  readonly accepted: Readonly<Record<string, Spec>>;
  /** Spec, and what the answer must say: the field, and for a rule of ours the way out. */
  readonly rejected: Readonly<Record<string, readonly [Spec, ...string[]]>>;
}

/** The kind, served. */
export class ServedKind {
  readonly type: ResourceType;
  readonly controlPlane: ControlPlane;
  readonly admin: AdminClient;
  /** Every refusal so far, as the server put it. */
  readonly refusals: string[] = [];
  #count = 0;

  constructor(type: ResourceType, controlPlane: ControlPlane, admin: AdminClient) {
    this.type = type;
    this.controlPlane = controlPlane;
    this.admin = admin;
  }

  /** An object that is not created yet, in namespace `default` if the kind has namespaces. */
  written(spec: Spec, name = `example-${this.#count++}`): Written {
    return { metadata: { name, ...(this.type.namespaced ? { namespace: 'default' } : {}) }, spec };
  }

  create(spec: Spec, name?: string): Promise<Written> {
    return this.admin.client.create<Written>(this.type, this.written(spec, name));
  }

  get({ metadata: { name, namespace } }: Written): Promise<Written> {
    return this.admin.client.get<Written>(this.type, { namespace, name });
  }

  patch({ metadata: { name, namespace } }: Written, patch: object): Promise<unknown> {
    return this.admin.client.mergePatch(this.type, { namespace, name, patch: { ...patch } });
  }

  /** What the server says against a write, or `accepted`. */
  async refusal(write: Promise<unknown>): Promise<string> {
    try {
      await write;
    } catch (error) {
      if (!isKubeError(error, 'KUBE_INVALID', 'KUBE_BAD_REQUEST')) throw error;
      this.refusals.push(error.serverMessage ?? '');
      return error.serverMessage ?? '';
    }
    return 'accepted';
  }

  /** Headings of the table that kubectl prints. */
  async columns(...args: readonly string[]): Promise<readonly string[]> {
    const { stdout } = await this.controlPlane.kubectl(['get', ...args]);
    return (
      stdout
        .split('\n')[0]
        ?.trim()
        .split(/\s{2,}/) ?? []
    );
  }
}

/** Serves `crds/` in a control plane of its own. Call inside a suite. */
export function useServedKind(type: ResourceType): () => ServedKind {
  const controlPlane = useControlPlane();
  let kind: ServedKind | undefined;
  before(async () => {
    await controlPlane().kubectl(['apply', '--server-side', '--validate=strict', '-f', 'crds/']);
    const admin = await adminClient(controlPlane());
    kind = new ServedKind(type, controlPlane(), admin);
    await eventually('the kind to be served', async () => (await admin.client.list(type)) !== undefined);
  });
  after(() => kind?.admin.close());
  return () => {
    if (kind === undefined) throw new Error('the kind is served from the first test on, not earlier');
    return kind;
  };
}

/** One test for each example. */
export function itJudges(kind: () => ServedKind, { accepted, rejected }: Examples): void {
  for (const [what, spec] of Object.entries(accepted)) {
    it(`accepts ${what}`, async () => {
      expect((await kind().create(spec)).metadata.uid).to.be.a('string');
    });
  }
  for (const [what, [spec, ...parts]] of Object.entries(rejected)) {
    it(`rejects ${what}`, async () => {
      const message = await kind().refusal(kind().create(spec));
      for (const part of parts) expect(message).to.include(part);
    });
  }
}

/** A test that the rejections of the tests before it have met every rule, pattern and bound of what people write. */
export function itHasMetEveryConstraint(kind: () => ServedKind): void {
  it('has rejected something for every rule, pattern and bound of its schema', () => {
    const { type, refusals } = kind();
    const missed = constraintsOf(type.plural).filter((constraint) => !refusals.some(isMetBy(constraint)));
    expect(missed.map(({ path, says }) => `${path}: ${says}`)).to.deep.equal([]);
  });
}

/** A test that the status says Unknown, Pending before anybody has looked. */
export function itBeginsPending(kind: () => ServedKind, spec: Spec): void {
  it('says Unknown, Pending until an operator has looked', async () => {
    const stored = await kind().get(await kind().create(spec));
    expect(stored.status).to.deep.equal({
      conditions: [
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'Pending',
          message: 'Waiting for the operator',
          lastTransitionTime: '1970-01-01T00:00:00Z',
        },
      ],
    });
  });
}
