/** The members of a JSON object, in the order of the text. Most objects have a handful, and are read in about that order. */

/** So many names are compared one by one; more are looked up. */
const SCANNED = 32;

/** Names and values. No name means anything to JavaScript here. */
export class Members<V> {
  readonly #names: string[] = [];
  readonly #values: V[] = [];
  #byName: Map<string, number> | undefined;
  /** Where the next name is looked for first. */
  #cursor = 0;

  get size(): number {
    return this.#names.length;
  }

  /** Adds a member; false when there is one of that name. */
  add(name: string, value: V): boolean {
    if (this.#find(name) >= 0) return false;
    this.#byName?.set(name, this.#names.length);
    this.#names.push(name);
    this.#values.push(value);
    if (this.#names.length === SCANNED) this.#byName = new Map(this.#names.map((each, at) => [each, at]));
    return true;
  }

  get(name: string): V | undefined {
    const at = this.#find(name);
    if (at < 0) return undefined;
    this.#cursor = at + 1;
    return this.#values[at];
  }

  keys(): readonly string[] {
    return this.#names;
  }

  *[Symbol.iterator](): Generator<readonly [string, V]> {
    for (const [at, name] of this.#names.entries()) yield [name, this.#values[at] as V];
  }

  #find(name: string): number {
    if (this.#byName !== undefined) return this.#byName.get(name) ?? -1;
    const names = this.#names;
    if (names[this.#cursor] === name) return this.#cursor;
    for (let at = 0; at < names.length; at++) if (names[at] === name) return at;
    return -1;
  }
}
