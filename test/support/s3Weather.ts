import { createHash } from 'node:crypto'
import type { Fault, S3Request } from './s3Server.ts'

type Fate = 'passes' | 'unavailable' | 'internal-error'

/**
 * A service that fails now and then, or altogether. Whole calls fail, with all attempts that the SDK makes of each: fewer
 * would never be seen outside of it. Which calls is a matter of the seed and of what is asked for, not of time.
 */
export class S3Weather {
  /** To be put among the faults of a server. */
  readonly faults: readonly Fault[] = (['unavailable', 'internal-error'] as const).map((what) => ({
    what,
    when: (request) => this.#fateOf(request) === what,
  }))
  /** Attempts of the calls that failed, by the SDK's id of each. */
  readonly attempts = new Map<string, number>()
  readonly #seed: string
  readonly #fates = new Map<string, Fate>()
  /** How often each object has been asked for since the weather changed. */
  readonly #calls = new Map<string, number>()
  #isToFail: (request: S3Request) => boolean = () => false

  constructor(seed: string) {
    this.#seed = seed
  }

  fair(): void {
    this.#change(() => false)
  }

  /** Every call fails, or those that are meant. */
  down(isMeant: (request: S3Request) => boolean = () => true): void {
    this.#change(isMeant)
  }

  /** Of each object that is asked for, one call fails at most: of some the first, of some the second. */
  changing(): void {
    this.#change((request) => {
      const object = nameOf(request)
      const calls = (this.#calls.get(object) ?? 0) + 1
      this.#calls.set(object, calls)
      return this.#number(object) % 6 === calls
    })
  }

  #change(isToFail: (request: S3Request) => boolean): void {
    this.#isToFail = isToFail
    this.#calls.clear()
    this.attempts.clear()
  }

  /** Both faults ask for it: an attempt that fails is counted by the one that strikes. */
  #fateOf(request: S3Request): Fate {
    const call = String(request.headers['amz-sdk-invocation-id'])
    const fate = this.#fates.get(call) ?? this.#newFate(request)
    this.#fates.set(call, fate)
    if (fate !== 'passes') this.attempts.set(call, attemptOf(request))
    return fate
  }

  #newFate(request: S3Request): Fate {
    if (!this.#isToFail(request)) return 'passes'
    return this.#number(`kind of ${nameOf(request)}`) % 2 === 0 ? 'unavailable' : 'internal-error'
  }

  #number(text: string): number {
    return createHash('sha256').update(`${this.#seed} ${text}`).digest().readUInt32BE()
  }
}

function nameOf({ method, key, query, headers }: S3Request): string {
  return [method, key, query.get('prefix') ?? '', headers.range ?? ''].join(' ')
}

/** Of `attempt=2; max=5`. */
function attemptOf({ headers }: S3Request): number {
  return Number(/attempt=(\d+)/.exec(String(headers['amz-sdk-request']))?.[1])
}
