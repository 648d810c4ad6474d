/** JSON read with what the language has, and looked at again for what it passes over. */

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
const INTEGER = /^(?:0|-?[1-9][0-9]{0,15})$/;

/** The value, or undefined for what is no strict JSON. */
export function readStrictly(octets: Buffer): unknown {
  const text = octets.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(octets)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const tokens = text.match(TOKENS) ?? [];
    const names = tokens.filter((token, index) => token.startsWith('"') && tokens[index + 1] === ':');
    const numbers = tokens.filter((token) => /^[-0-9]/.test(token));
    const isStrict =
      names.length === countMembers(value) &&
      numbers.every((number) => INTEGER.test(number) && Number.isSafeInteger(Number(number))) &&
      tokens.every((token) => !token.startsWith('"') || String(JSON.parse(token)).isWellFormed());
    return isStrict ? value : undefined;
  } catch {
    return undefined;
  }
}

/** JSON.parse keeps one of several members of one name, so the text has more names then. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce((sum: number, each) => sum + countMembers(each), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}
