/** Where the files of a control plane lie, and the flags its processes are started with. */

import { join } from 'node:path';

/** Names of the files in a control plane's folder. */
export interface Layout {
  readonly directory: string;
  readonly caCertificate: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly tokenSigningKey: string;
  readonly tokenVerificationKey: string;
  readonly adminKubeconfig: string;
  readonly controllerManagerKubeconfig: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly logs: string;
  readonly serviceAccounts: string;
  readonly kubectlCache: string;
}

/** The files of the control plane in a folder (absolute path). */
export function layoutOf(directory: string): Layout {
  return {
    directory,
    caCertificate: join(directory, 'pki', 'ca.crt'),
    serverCertificate: join(directory, 'pki', 'kube-apiserver.crt'),
    serverKey: join(directory, 'pki', 'kube-apiserver.key'),
    tokenSigningKey: join(directory, 'pki', 'service-account.key'),
    tokenVerificationKey: join(directory, 'pki', 'service-account.pub'),
    adminKubeconfig: join(directory, 'admin.kubeconfig'),
    controllerManagerKubeconfig: join(directory, 'kube-controller-manager.kubeconfig'),
    auditPolicy: join(directory, 'audit-policy.json'),
    auditLog: join(directory, 'logs', 'audit.log'),
    logs: join(directory, 'logs'),
    serviceAccounts: join(directory, 'service-accounts'),
    kubectlCache: join(directory, 'kubectl-cache'),
  };
}

// Sockets instead of ports: nobody but the owner of the folder gets at them. Relative to the working directory,
// because the path of a socket has 104 bytes at most.
const ETCD_CLIENTS = 'unix://etcd.sock';
const ETCD_PEERS = 'unix://etcd-peer.sock';

/** Issuer of ServiceAccount tokens. */
const TOKEN_ISSUER = 'https://kubernetes.default.svc';

/** First address of the service range: the API server's own. */
export const API_SERVICE_ADDRESS = '10.96.0.1';

/** Every request once, when it has been answered (a watch when it begins too): who, what, how; no bodies. */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
} as const;

/** Flags of etcd. Without fsync a crash of the machine loses the data, a crash of etcd does not. */
export function etcdFlags({ unsafeNoFsync }: { readonly unsafeNoFsync: boolean }): string[] {
  return [
    '--name=default',
    '--data-dir=etcd',
    `--listen-client-urls=${ETCD_CLIENTS}`,
    `--advertise-client-urls=${ETCD_CLIENTS}`,
    `--listen-peer-urls=${ETCD_PEERS}`,
    `--initial-advertise-peer-urls=${ETCD_PEERS}`,
    `--initial-cluster=default=${ETCD_PEERS}`,
    // a single member still waits one election time-out before it leads: 100 ms instead of 1 s
    '--heartbeat-interval=10',
    '--election-timeout=100',
    '--log-level=warn',
    ...(unsafeNoFsync ? ['--unsafe-no-fsync'] : []),
  ];
}

/** Flags of kube-apiserver. */
export function apiServerFlags(
  layout: Layout,
  { port, auditLog }: { readonly port: number; readonly auditLog: boolean },
): string[] {
  return [
    `--etcd-servers=${ETCD_CLIENTS}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${layout.serverCertificate}`,
    `--tls-private-key-file=${layout.serverKey}`,
    `--client-ca-file=${layout.caCertificate}`,
    '--authorization-mode=RBAC',
    `--service-account-issuer=${TOKEN_ISSUER}`,
    `--service-account-signing-key-file=${layout.tokenSigningKey}`,
    `--service-account-key-file=${layout.tokenVerificationKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // no node can reach 127.0.0.1, so there is nothing to publish
    '--endpoint-reconciler-type=none',
    // it would refuse every pod until the controller manager has made the default ServiceAccount
    '--disable-admission-plugins=ServiceAccount',
    '--profiling=false',
    ...(auditLog ? [`--audit-policy-file=${layout.auditPolicy}`, `--audit-log-path=${layout.auditLog}`] : []),
  ];
}

/** Controllers that matter where no pod runs. */
const CONTROLLERS = [
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'clusterrole-aggregation-controller',
  'validatingadmissionpolicy-status-controller',
] as const;

/** Flags of kube-controller-manager. */
export function controllerManagerFlags(layout: Layout): string[] {
  return [
    `--kubeconfig=${layout.controllerManagerKubeconfig}`,
    `--controllers=${CONTROLLERS.join(',')}`,
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${layout.tokenSigningKey}`,
    `--root-ca-file=${layout.caCertificate}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--profiling=false',
  ];
}
