/** Numbers that plugins keep through `context.metrics`, per thread. Bounded: a plugin can't grow it without end. */
export class PluginMetrics {
  private readonly values = new Map<
    string,
    { instance: string; name: string; type: 'counter' | 'gauge'; value: number }
  >();

  count(instance: string, name: string, by: number): void {
    const entry = this.entry(instance, name, 'counter');
    if (entry !== undefined) entry.value += by;
  }

  gauge(instance: string, name: string, value: number): void {
    const entry = this.entry(instance, name, 'gauge');
    if (entry !== undefined) entry.value = value;
  }

  list(): { instance: string; name: string; type: 'counter' | 'gauge'; value: number }[] {
    return [...this.values.values()];
  }

  forget(instance: string): void {
    for (const [key, entry] of this.values) if (entry.instance === instance) this.values.delete(key);
  }

  private entry(instance: string, name: string, type: 'counter' | 'gauge'): { value: number } | undefined {
    const key = `${instance}\n${name}`;
    const known = this.values.get(key);
    if (known !== undefined) return known;
    if (this.values.size >= 2000 || !/^[a-z][a-z0-9_]{0,79}$/.test(name)) return undefined;
    const entry = { instance, name, type, value: 0 };
    this.values.set(key, entry);
    return entry;
  }
}
