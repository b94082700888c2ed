import type { Figure } from '../../test/support/figure.ts'

/** What is asked of a process that runs one engine; every request has one answer, `checks` one for each check before it. */
export type EngineRequest =
  | { readonly type: 'open'; readonly network: string; readonly batch: number }
  | { readonly type: 'measure'; readonly forMs: number }
  /** Gives the device's memory back. */
  | { readonly type: 'close' }
  | { readonly type: 'explain'; readonly network: string; readonly images: readonly Uint8Array[] }
  | { readonly type: 'products' }
  | { readonly type: 'checks' }

export interface CheckDone {
  readonly group: string
  readonly name: string
  readonly figures: readonly Figure[]
  readonly error: string | null
}

export interface Explained {
  /** Degrees, by angle. */
  readonly angles: Readonly<Record<string, number | null>>
  /** 3 × height × width. */
  readonly gradient: Float32Array
  /** height × width × 3. */
  readonly map: Uint8Array
}

export type EngineReply =
  | { readonly type: 'opened'; readonly ms: number }
  | { readonly type: 'closed' }
  | { readonly type: 'measured'; readonly msPerImage: number }
  | { readonly type: 'explained'; readonly explained: readonly Explained[] }
  | { readonly type: 'products'; readonly rounding: { readonly matmul: number; readonly conv: number } }
  | { readonly type: 'check'; readonly done: CheckDone }
  | { readonly type: 'checked' }
  | { readonly type: 'failed'; readonly error: string }
