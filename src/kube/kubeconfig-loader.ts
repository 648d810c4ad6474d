/**
 * The one name that is used of client-node. It is imported lazily and through this file, because the package loads
 * half a second of generated models of which a bundler can then drop all the rest.
 */

// biome-ignore lint/performance/noBarrelFile: the re-export is what lets a bundler shake the rest off.
export { KubeConfig } from '@kubernetes/client-node';
