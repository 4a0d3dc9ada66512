// Checks of what a caller gives. Nothing is rounded or wrapped in silence.

/** A value in an error's words. */
function shown(value: unknown): string {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "string":
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : `a ${kind(value)}`;
    case "function":
      return "a function";
    default:
      return String(value);
  }
}

/** The name of an object's type, which is the same for objects of another page or worker. */
export function kind(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Refuses options of other names: a misspelt option would be left out in silence. */
export function known(options: object, names: readonly string[], operation: string): void {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`${operation} has no option ${JSON.stringify(name)}; its options are ${names.join(", ")}`);
    }
  }
}

/** An integer from `least` to `most`, given as a number or a bigint. */
export function integer(value: unknown, name: string, least: number, most: number): number {
  const words = () => `${name} must be an integer from ${least} to ${most}, got ${shown(value)}`;
  if (typeof value === "bigint") {
    if (value < BigInt(least) || value > BigInt(most)) {
      throw new RangeError(words());
    }
    return Number(value);
  }
  if (typeof value !== "number") {
    throw new TypeError(words());
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(words());
  }
  return value;
}

const WORD = 1n << 64n;

/** A number of 64 bits, given as a bigint or as a number that is exact. */
export function word64(value: unknown, name: string): bigint {
  const words = () =>
    `${name} must be a bigint from 0n to 18446744073709551615n (2n ** 64n - 1n), or an integer from 0 to 9007199254740991 (2 ** 53 - 1), got ${shown(value)}`;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(words());
    }
    return BigInt(value);
  }
  if (typeof value !== "bigint") {
    throw new TypeError(words());
  }
  if (value < 0n || value >= WORD) {
    throw new RangeError(words());
  }
  return value;
}

/** The number that the crate is given for this one: the nearest of 32 bits, but never 0 for another number, as 0 has a meaning of its own. */
export function single(value: unknown, name: string): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, got ${shown(value)}`);
  }
  const nearest = Math.fround(value);
  return nearest === 0 && value !== 0 ? Math.sign(value) * 2 ** -149 : nearest;
}

/** One of some words. */
export function choice<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw new TypeError(`${name} must be ${choices.map((choice) => `"${choice}"`).join(" or ")}, got ${shown(value)}`);
  }
  return found;
}

/** True or false. */
export function flag(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") {
    throw new TypeError(`${name} must be true or false, got ${shown(value)}`);
  }
  return value;
}

/** An error for a value of the wrong type. */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, got ${shown(value)}`);
}
