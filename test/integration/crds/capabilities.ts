/** Lists of capabilities, right and wrong, wherever a kind of ours has one. */

/** What a capability list is put into, and where it then stands. */
export interface Place {
  readonly path: string;
  readonly in: (capabilities: unknown) => Readonly<Record<string, unknown>>;
}

type Spec = Readonly<Record<string, unknown>>;

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `n${index}`);

const RESOURCES = [
  '*',
  '/*',
  '/data/reports/*',
  '/data/reports/q1',
  'namespaces/staging/*',
  's3://bucket/a',
  'file:///etc/a',
  'a',
  '..a/.b/...',
  `/${'a'.repeat(255)}`,
];

/** What is wrong with a resource, and one of that kind. */
const NO_RESOURCES: Readonly<Record<string, string>> = {
  'that climbs': '/data/../etc',
  'that ends in ..': '/data/..',
  'that is ..': '..',
  'with a segment .': '/data/./x',
  'with an encoded slash': '/data/%2fetc',
  'with an encoded dot': '/data/%2e%2e/etc',
  'with a backslash': '/data\\..\\etc',
  'with an empty segment': '/data//x',
  'that ends in a slash': '/data/',
  'with a wildcard inside': '/data/*/x',
  'with a wildcard that is no segment': '/data/rep*',
  'with a space': '/data/a b',
  'with a line break': '/data/a\n',
  'with a letter that is not ASCII': '/data/é',
  'with an unpaired surrogate': '/data/\ud800',
  'with NUL': '/data/\0',
};

/** Specs that are accepted with capabilities at `place`. */
export function acceptedCapabilities(place: Place): Readonly<Record<string, Spec>> {
  return {
    'capabilities with every form of resource': place.in([
      { name: 'read_file', resources: RESOURCES },
      { name: 'a' },
      { name: 'mcp:tools.call' },
    ]),
    '64 capabilities': place.in(numbered(64).map((name) => ({ name }))),
    'a capability with 32 resources and a name of 128 characters': place.in([
      { name: 'a'.repeat(128), resources: numbered(32) },
    ]),
  };
}

/** Specs that are rejected with capabilities at `place`, with what the answer must say. */
export function rejectedCapabilities({
  path,
  in: spec,
}: Place): Readonly<Record<string, readonly [Spec, ...string[]]>> {
  const resources = Object.entries(NO_RESOURCES).map(([what, resource]) => {
    return [
      `a resource ${what}`,
      [spec([{ name: 'a', resources: ['/x', resource] }]), `${path}[0].resources[1]`, 'should match'],
    ] as const;
  });
  return {
    ...Object.fromEntries(resources),
    'an empty list of capabilities': [spec([]), path, 'should have at least 1 items'],
    '65 capabilities': [spec(numbered(65).map((name) => ({ name }))), path, 'must have at most 64 items'],
    'a capability twice': [
      spec([{ name: 'a' }, { name: 'b' }, { name: 'a', resources: ['/x'] }]),
      path,
      'capability names must be unique; put all resources of one capability into one entry',
    ],
    'a capability without a name': [spec([{ resources: ['/x'] }]), `${path}[0].name`, 'Required value'],
    'a capability with an empty name': [spec([{ name: '' }]), `${path}[0].name`, 'at least 1 chars'],
    'a capability with a wildcard': [spec([{ name: 'kubectl_*' }]), `${path}[0].name`, 'should match'],
    'a capability that ends in a dot': [spec([{ name: 'a.' }]), `${path}[0].name`, 'should match'],
    'a capability of 129 characters': [
      spec([{ name: 'a'.repeat(129) }]),
      `${path}[0].name`,
      'may not be more than 128 bytes',
    ],
    'an empty list of resources': [
      spec([{ name: 'a', resources: [] }]),
      `${path}[0].resources`,
      'should have at least 1 items',
    ],
    '33 resources': [
      spec([{ name: 'a', resources: numbered(33) }]),
      `${path}[0].resources`,
      'must have at most 32 items',
    ],
    'an empty resource': [
      spec([{ name: 'a', resources: [''] }]),
      `${path}[0].resources[0]`,
      'at least 1 chars',
    ],
    'a resource of 257 characters': [
      spec([{ name: 'a', resources: ['a'.repeat(257)] }]),
      `${path}[0].resources[0]`,
      'may not be more than 256 bytes',
    ],
    'a capability with a use': [spec([{ name: 'a', use: 'Invoke' }]), 'unknown field', `${path}[0].use`],
  };
}
