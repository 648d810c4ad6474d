/** The configuration of an Envoy that stands for the sidecars of many pods: what Istio 1.29 gives to a sidecar's inbound. */

import type { TlsIdentity } from './certificates.ts';
import type { EnvoyFilter } from './istio-filters.ts';

/** A pod behind a sidecar. */
export interface Sidecar {
  /** Loopback address of the pod. */
  readonly address: string;
  /** Ports of the pod that are served. */
  readonly ports: readonly number[];
  /** Name of one of the identities. */
  readonly identity: string;
  readonly filters: readonly EnvoyFilter[];
}

/** What all of them share. */
export interface EnvoyOptions {
  readonly trustDomain: string;
  /** Roots of callers, PEM. */
  readonly trustBundlePem: string;
  /** What pods prove who they are with, by name. */
  readonly identities: ReadonlyMap<string, TlsIdentity>;
  readonly sidecars: readonly Sidecar[];
  /** Port on 127.0.0.1 of the external authorizer, and the name that Istio gives to its cluster. */
  readonly authorizer?: { readonly port: number; readonly cluster: string };
}

const TYPE = 'type.googleapis.com/envoy';
const CALLERS = 'callers';

/** A static bootstrap; the application behind each sidecar answers 200 and says what reached it. */
export function envoyBootstrap({ sidecars, identities, authorizer, ...trust }: EnvoyOptions): object {
  return {
    admin: { address: socketAddress('127.0.0.1', 0) },
    static_resources: {
      listeners: sidecars.map(listener),
      secrets: [...[...identities].map(certificateSecret), trustSecret(trust)],
      clusters: authorizer === undefined ? [] : [authorizerCluster(authorizer)],
    },
  };
}

function listener({ address, ports, identity, filters }: Sidecar): object {
  const [first, ...others] = ports.map((port) => socketAddress(address, port));
  return {
    name: address,
    address: first,
    additional_addresses: others.map((additional) => ({ address: additional })),
    enable_reuse_port: false,
    filter_chains: [
      {
        transport_socket: { name: 'tls', typed_config: mutualTls(identity) },
        filters: [
          { name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager(filters) },
        ],
      },
    ],
  };
}

function mutualTls(identity: string): object {
  return {
    '@type': `${TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
    require_client_certificate: true,
    common_tls_context: {
      tls_certificate_sds_secret_configs: [{ name: identity }],
      validation_context_sds_secret_config: { name: CALLERS },
    },
  };
}

/** Istio: pilot/pkg/networking/core/listener_builder.go (normalisation BASE) and util/proxy_headers.go (APPEND_FORWARD). */
function connectionManager(filters: readonly EnvoyFilter[]): object {
  return {
    '@type': `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'inbound',
    normalize_path: true,
    merge_slashes: false,
    path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
    use_remote_address: false,
    forward_client_cert_details: 'APPEND_FORWARD',
    set_current_client_cert_details: { subject: true, uri: true, dns: true },
    route_config: { virtual_hosts: [{ name: 'application', domains: ['*'], routes: [APPLICATION] }] },
    local_reply_config: { mappers: [EXPLAIN_REFUSAL] },
    http_filters: [
      ...filters,
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${TYPE}.extensions.filters.http.router.v3.Router` },
      },
    ],
  };
}

const APPLICATION = {
  match: { prefix: '/' },
  direct_response: { status: 200, body: { inline_string: 'done' } },
  response_headers_to_add: [
    { header: { key: 'x-seen-path', value: '%REQ(:PATH)%' } },
    { header: { key: 'x-seen-callers', value: '%REQ(X-FORWARDED-CLIENT-CERT)%' } },
  ],
};

const EXPLAIN_REFUSAL = {
  filter: {
    status_code_filter: {
      comparison: { op: 'GE', value: { default_value: 400, runtime_key: 'local_reply_least_status' } },
    },
  },
  headers_to_add: [{ header: { key: 'x-refused-by', value: '%RESPONSE_CODE_DETAILS%' } }],
};

function certificateSecret([name, { certificatePem, privateKeyPem }]: readonly [
  string,
  TlsIdentity,
]): object {
  return {
    name,
    tls_certificate: {
      certificate_chain: { inline_string: certificatePem },
      private_key: { inline_string: privateKeyPem },
    },
  };
}

function trustSecret({
  trustBundlePem,
  trustDomain,
}: Pick<EnvoyOptions, 'trustBundlePem' | 'trustDomain'>): object {
  return {
    name: CALLERS,
    validation_context: {
      trusted_ca: { inline_string: trustBundlePem },
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { prefix: `spiffe://${trustDomain}/` } }],
    },
  };
}

function authorizerCluster({ port, cluster }: NonNullable<EnvoyOptions['authorizer']>): object {
  return {
    name: cluster,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: cluster,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress('127.0.0.1', port) } }] }],
    },
  };
}

function socketAddress(address: string, port: number): object {
  return { socket_address: { address, port_value: port } };
}
