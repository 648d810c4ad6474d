/** Whether what an author asks for has the form that it is to have: in JavaScript nobody else says so before it is wrong. */

import type { DelegateOptions, ParentToken, WantedCapability } from './agent-core.ts';

/** Says what is wrong with a value that stands somewhere; undefined when nothing is. */
export type Form = (value: unknown, at: string) => string | undefined;

/** A form for each member. */
export type MemberForms<T> = Readonly<Record<keyof T & string, Form>>;

const MAX_NAME = 64;

/** Of a value of which the predicate says so. */
function form(what: string, isValid: (value: unknown) => boolean): Form {
  return (value, at) => (isValid(value) ? undefined : `${at} must be ${what}`);
}

/** A text. */
export const text: Form = form('a string', (value) => typeof value === 'string');

/** A number. Which one is for others to say. */
export const number: Form = form('a number', (value) => typeof value === 'number');

/** The same, or nothing. */
export function optional(of: Form): Form {
  return (value, at) => (value === undefined ? undefined : of(value, at));
}

/** A list, whatever its length. */
function list(of: Form): Form {
  return (value, at) => {
    if (!Array.isArray(value)) return `${at} must be a list`;
    for (const [index, each] of value.entries()) {
      const fault = of(each, `${at}[${index}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** An object with these members and no other. */
export function object<T>(members: MemberForms<T>): Form {
  const forms = Object.entries<Form>(members);
  return (value, at) => {
    if (!isObject(value)) return `${at} must be an object`;
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(members, name));
    if (unknown !== undefined) return `${at}.${unknown.slice(0, MAX_NAME)} ${whatIsMeant(unknown, forms)}`;
    for (const [name, of] of forms) {
      const fault = of(value[name], `${at}.${name}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function whatIsMeant(unknown: string, forms: readonly (readonly [string, Form])[]): string {
  const names = forms.map(([name]) => name);
  const given = plain(unknown);
  const meant = names.find((name) => plain(name).includes(given) || given.includes(plain(name)));
  return meant === undefined
    ? `is unknown: there are ${names.join(', ')}`
    : `is unknown: it is called ${meant}`;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z]/g, '');
}

const capability: Form = object<WantedCapability>({ name: text, resources: optional(list(text)) });

/** {@link DelegateOptions}. */
export const DELEGATE_MEMBERS: MemberForms<DelegateOptions> = {
  capabilities: list(capability),
  ttlSeconds: optional(number),
  maxUses: optional(number),
};

/** {@link ParentToken}; `accepted` is what a verification gave. */
export const parentToken: Form = object<ParentToken>({
  accepted: form('what a verification has accepted', (value) => isObject(value) && isObject(value['claims'])),
  token: text,
  chain: list(text),
});

/** What `delegate` of a call is. */
export const delegateOptions: Form = object<DelegateOptions>(DELEGATE_MEMBERS);
