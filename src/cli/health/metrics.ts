import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

type Labels = Readonly<Record<string, string>>

/** Only grows. */
export interface Count {
  inc(labels: Labels, by: number): void
}

/** A state. */
export interface Level {
  set(labels: Labels, value: number): void
  /** Forgets the labels whose value nobody set again. */
  reset(): void
}

/** How often a value fell into which range. */
export interface Spread {
  observe(labels: Labels, value: number): void
}

/**
 * The metrics of this process in Prometheus' text format, with those of Node.js beside them. No other file knows
 * prom-client: its successor wants a newer Node.js than headlight does.
 */
export class Metrics {
  readonly #registry = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE

  count(name: string, help: string, labels: readonly string[] = []): Count {
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] })
  }

  level(name: string, help: string, labels: readonly string[] = []): Level {
    return new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] })
  }

  spread(name: string, help: string, buckets: readonly number[], labels: readonly string[] = []): Spread {
    return new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers: [this.#registry] })
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
