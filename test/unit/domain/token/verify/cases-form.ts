/** Negative cases of the form of a token, steps 1 to 3. */

import {
  B,
  C,
  claims,
  details,
  draft,
  FROM_SERVICE,
  fields,
  header,
  proofFor,
  ROOT_CLAIMS,
  seal,
  signerOf,
  T0,
  WEB,
} from '../../../../support/token/scene.ts';
import { type NegativeCase, payloadText } from './case.ts';

const LONG_RESOURCES = Array.from({ length: 14 }, (_, index) => `${index}/${'x'.repeat(240)}`);

/** By number; some are more than one way to do the same. */
export const FORM_CASES: readonly NegativeCase[] = [
  { row: '1', what: 'nothing: the worked example, offline chain', outcome: 'accepted' },
  {
    row: '2',
    what: 'nothing: service-minted leaf, no chain header',
    outcome: 'accepted',
    story: FROM_SERVICE,
  },
  { row: '3', what: 'leaf padded with =', outcome: 'malformed', changes: { leafText: (leaf) => `${leaf}=` } },
  {
    row: '4',
    what: 'payload has aud twice',
    outcome: 'malformed',
    changes: { leafText: payloadText((text) => text.replace('"aud":', `"aud":"${C}","aud":`)) },
  },
  {
    row: '5',
    what: 'exp is no integer',
    outcome: 'malformed',
    changes: { leaf: claims({ exp: T0 + 64.5 }) },
  },
  {
    row: '6',
    what: 'aud is a list, even of one',
    outcome: 'malformed',
    changes: { leaf: claims({ aud: [C] }) },
  },
  {
    row: '7',
    what: 'token of 5 000 B',
    outcome: 'malformed',
    changes: { leaf: claims({ authorization_details: details({ ...WEB, resources: LONG_RESOURCES }) }) },
  },
  {
    row: '8',
    what: 'resource namespaces/staging/../prod',
    outcome: 'malformed',
    changes: {
      leaf: claims({ authorization_details: details({ ...WEB, resources: ['namespaces/staging/../prod'] }) }),
    },
  },
  {
    row: '9',
    what: 'two entries in authorization_details',
    outcome: 'malformed',
    changes: { leaf: claims({ authorization_details: [...details(WEB), ...details(WEB)] }) },
  },
  {
    row: '10',
    what: 'cnf with both jkt and x5t#S256',
    outcome: 'malformed',
    changes: { leaf: claims({ cnf: { jkt: signerOf(B).kid, 'x5t#S256': signerOf(B).kid } }) },
  },
  {
    row: '11',
    what: 'two Authorization fields',
    outcome: 'malformed',
    changes: {
      request: (made) =>
        fields({ authorization: [...made.fields.authorization, ...made.fields.authorization] })(made),
    },
  },
  {
    row: '12',
    what: 'service-minted leaf with a chain header',
    outcome: 'malformed',
    story: FROM_SERVICE,
    changes: { parents: () => [seal(draft(ROOT_CLAIMS))] },
  },
  {
    row: '13',
    what: 'agent-signed token carrying del_path',
    outcome: 'malformed',
    changes: { leaf: claims({ del_path: FROM_SERVICE.leaf.payload['del_path'] }) },
  },
  { row: '14', what: 'max_uses 6', outcome: 'malformed', changes: { leaf: claims({ max_uses: 6 }) } },
  {
    row: '15',
    what: 'typ at+jwt (access token on a capability route)',
    outcome: 'wrong_type',
    changes: { leaf: header({ typ: 'at+jwt' }) },
  },
  {
    row: '16',
    what: 'typ dpop+jwt (proof used as token)',
    outcome: 'wrong_type',
    changes: { leafText: () => seal(proofFor('x')) },
  },
  {
    row: '17',
    what: 'parent has typ at+jwt',
    outcome: 'wrong_type',
    changes: { root: header({ typ: 'at+jwt' }) },
  },
  {
    row: '18',
    what: 'extra claim scope',
    outcome: 'unknown_claim',
    changes: { leaf: claims({ scope: 'kubectl_get' }) },
  },
  { row: '19', what: 'extra claim nbf', outcome: 'unknown_claim', changes: { leaf: claims({ nbf: T0 }) } },
  { row: '20', what: 'header crit', outcome: 'unknown_claim', changes: { leaf: header({ crit: ['exp'] }) } },
  {
    row: '20',
    what: 'header jwk',
    outcome: 'unknown_claim',
    changes: { leaf: header({ jwk: signerOf(B).publicJwk }) },
  },
  {
    row: '21',
    what: 'RAR type .../capability/v2',
    outcome: 'unknown_claim',
    changes: {
      leaf: claims({
        authorization_details: [{ type: 'https://agenttrust.dev/capability/v2', capabilities: [WEB] }],
      }),
    },
  },
  {
    row: '22',
    what: 'RAR member max_amount',
    outcome: 'unknown_claim',
    changes: { leaf: claims({ authorization_details: [{ ...details(WEB)[0], max_amount: 5 }] }) },
  },
];
