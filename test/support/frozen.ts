/** What somebody else's admission policy may do to us: an object of the operator cannot be written. */

import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';

/** What cannot be written. */
export interface FrozenObject {
  readonly resource: 'configmaps' | 'secrets';
  readonly name: string;
  readonly operations: readonly ('CREATE' | 'UPDATE' | 'DELETE')[];
  /** CEL: true lets a write through all the same. */
  readonly unless: string;
}

const NAME = 'frozen';
const ADMISSION = 'admissionregistration.k8s.io/v1';

/** Puts the policy there, with its binding; soon afterwards it is in force. */
export async function freeze(
  controlPlane: ControlPlane,
  { resource, name, operations, unless }: FrozenObject,
): Promise<void> {
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations,
    resources: [resource],
    resourceNames: [name],
  };
  const policy = {
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: NAME },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: unless, message: 'frozen by somebody' }],
    },
  };
  const binding = {
    apiVersion: ADMISSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: NAME },
    spec: { policyName: NAME, validationActions: ['Deny'] },
  };
  const stdin = [policy, binding].map((each) => JSON.stringify(each)).join('\n---\n');
  await controlPlane.kubectl(['create', '--filename=-'], { stdin });
}

/** Takes the binding away. */
export async function thaw(controlPlane: ControlPlane): Promise<void> {
  await controlPlane.kubectl(['delete', `validatingadmissionpolicybinding/${NAME}`]);
}
