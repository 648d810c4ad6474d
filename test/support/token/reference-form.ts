/** The form of the claims, member by member, for the slow reference. */

/** What JSON.parse makes of an object. */
export type Json = { readonly [name: string]: unknown };

const AGENT = /^spiffe:\/\/[a-z0-9._-]+\/ns\/[A-Za-z0-9._-]+\/sa\/[A-Za-z0-9._-]+$/;
export const isAgent = (value: unknown): boolean =>
  typeof value === 'string' && AGENT.test(value) && !/\/\.{1,2}(\/|$)/.test(value);
const isCount = (value: unknown, most: number): boolean =>
  isTime(value) && Number(value) >= 1 && Number(value) <= most;
const isTime = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isUuid = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(value);
const isSha256 = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^[A-Za-z0-9_-]{43}$/.test(value) &&
  Buffer.from(value, 'base64url').toString('base64url') === value;
const hasOnly = (value: unknown, ...names: readonly string[]): value is Json =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).every((name) => names.includes(name));
const optionally = (value: unknown, is: (value: unknown) => boolean): boolean =>
  value === undefined || is(value);
const isText = (value: unknown): boolean => typeof value === 'string' && /^[ -~]{1,255}$/.test(value);
const isHttps = (value: unknown): boolean =>
  typeof value === 'string' &&
  value.length <= 512 &&
  /^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*\/?$/.test(value);
const isAct = (value: unknown): boolean =>
  hasOnly(value, 'sub', 'act') && isAgent(value['sub']) && optionally(value['act'], isAct);
const isUser = (value: unknown): boolean =>
  hasOnly(value, 'format', 'iss', 'sub') &&
  value['format'] === 'iss_sub' &&
  isHttps(value['iss']) &&
  isText(value['sub']);
const isBinding = (value: unknown): boolean =>
  hasOnly(value, 'x5t#S256', 'jkt') &&
  Object.keys(value).length === 1 &&
  Object.values(value).every(isSha256);
const isAncestor = (value: unknown): boolean =>
  hasOnly(value, 'client_id', 'jti', 'iat') &&
  isAgent(value['client_id']) &&
  isUuid(value['jti']) &&
  isTime(value['iat']);
const isContext = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length >= 1 &&
  Object.keys(value).length <= 16 &&
  Object.keys(value).every(isText) &&
  Object.values(value).every((each) => isText(each) || typeof each === 'number' || typeof each === 'boolean');
const isResourceText = (value: unknown): boolean => {
  if (typeof value !== 'string' || value.length > 256) return false;
  if (value === '*' || value === '/*') return true;
  const path = value.replace(/\/\*$/, '').replace(/^([a-z][a-z0-9+.-]*:\/\/\/?|\/)/, '');
  return path
    .split('/')
    .every((each) => /^[!-~]+$/.test(each) && !/[%\\*]/.test(each) && each !== '.' && each !== '..');
};
const isCapability = (value: unknown): boolean =>
  hasOnly(value, 'name', 'resources') &&
  typeof value['name'] === 'string' &&
  /^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,126}[A-Za-z0-9])?$/.test(value['name']) &&
  isList(value['resources']) &&
  value['resources'].length >= 1 &&
  value['resources'].length <= 16 &&
  value['resources'].every(isResourceText);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const CLAIMS = [
  'iss',
  'sub',
  'sub_id',
  'tctx',
  'act',
  'client_id',
  'aud',
  'iat',
  'exp',
  'del_exp',
  'jti',
  'txn',
  'authorization_details',
  'cnf',
  'max_uses',
  'del_depth',
  'del_max_depth',
  'par_hash',
  'del_path',
];

/** Whether a payload has the form of a token. */
export function hasForm(claims: Json): boolean {
  if (!hasOnly(claims, ...CLAIMS)) return false;
  if (!(isHttps(claims['iss']) || isAgent(claims['iss']))) return false;
  if (!(/^spiffe:/i.test(String(claims['sub'])) ? isAgent(claims['sub']) : isText(claims['sub'])))
    return false;
  if (!(isAgent(claims['client_id']) && isAgent(claims['aud']))) return false;
  if (!(isTime(claims['iat']) && isTime(claims['exp']) && Number(claims['exp']) > Number(claims['iat'])))
    return false;
  if (!(optionally(claims['del_exp'], isTime) && isUuid(claims['jti']) && isUuid(claims['txn'])))
    return false;
  if (
    !(
      optionally(claims['sub_id'], isUser) &&
      optionally(claims['tctx'], isContext) &&
      optionally(claims['act'], isAct)
    )
  )
    return false;
  if (!(optionally(claims['cnf'], isBinding) && optionally(claims['par_hash'], isSha256))) return false;
  if (!optionally(claims['max_uses'], (value) => isCount(value, 5))) return false;
  if (!(isCount(claims['del_depth'], 8) && isCount(claims['del_max_depth'], 8))) return false;
  const details = claims['authorization_details'];
  if (!(isList(details) && details.length === 1)) return false;
  const [only] = details;
  if (!(hasOnly(only, 'type', 'capabilities') && only['type'] === 'https://agenttrust.dev/capability/v1'))
    return false;
  const capabilities = only['capabilities'];
  if (
    !(
      isList(capabilities) &&
      capabilities.length >= 1 &&
      capabilities.length <= 16 &&
      capabilities.every(isCapability)
    )
  )
    return false;
  if (!(new Set(capabilities.map((each) => (each as Json)['name'])).size === capabilities.length))
    return false;
  const path = claims['del_path'];
  if (!(path === undefined || (isList(path) && path.length <= 7 && path.every(isAncestor)))) return false;
  return true;
}
