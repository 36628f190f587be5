/** What stands in place of a secret. */
export const MASK = '***';

/** Shorter ones are not masked within a text: they would mask half of every line and so give themselves away. */
const SHORTEST_IN_TEXT = 4;

/** Knows the values that must appear nowhere, and masks them. */
export interface Redactor {
  /** Adds values; they stay secret for good, also when the config no longer has them. */
  register(values: Iterable<string>): void;
  /**
   * The text with every known secret masked, also in its URL-encoded form. A secret shorter than
   * four characters is masked only where it is the whole text, as in its own field.
   */
  redact(text: string): string;
}

export function createRedactor(): Redactor {
  const whole = new Set<string>();
  const within = new Set<string>();
  let pattern: RegExp | undefined;
  return {
    register: (values) => {
      for (const value of values) {
        if (value === '' || whole.has(value)) continue;
        whole.add(value);
        if (value.length < SHORTEST_IN_TEXT) continue;
        for (const form of formsOf(value)) within.add(form);
      }
      if (within.size === 0) return;
      // The longest first: a secret that begins with another one must not leave its end behind.
      const longestFirst = [...within].toSorted((a, b) => b.length - a.length);
      pattern = new RegExp(longestFirst.map((value) => value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
    },
    redact: (text) => {
      if (whole.has(text)) return MASK;
      return pattern === undefined ? text : text.replace(pattern, MASK);
    },
  };
}

/** How a value shows in a message: as it is, within a URL, within JSON. */
function formsOf(value: string): string[] {
  const forms = [value, JSON.stringify(value).slice(1, -1)];
  try {
    forms.push(encodeURIComponent(value));
  } catch {
    // A lone surrogate has no URL form.
  }
  return forms;
}
