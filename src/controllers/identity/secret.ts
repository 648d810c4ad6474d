/** A Secret as the API server sends it. */

import type { KubeObject } from '../../kube/object.ts';

/** `data` is base64. */
export interface Secret extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}
