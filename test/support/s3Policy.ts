import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { S3Request } from './s3Server.ts'

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())])
const document = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(
    z.strictObject({
      Sid: z.string(),
      Effect: z.literal('Allow'),
      Action: oneOrMore,
      Resource: oneOrMore,
      Condition: z.strictObject({ StringLike: z.strictObject({ 's3:prefix': oneOrMore }) }).optional(),
    }),
  ),
})

/** Whose policies there are. */
export type PolicyName = 'producer' | 'worker' | 'viewer'

/** A policy of infra/terraform with its places filled in, judging requests as IAM does: what no statement allows is denied. */
export class Policy {
  readonly #statements: z.infer<typeof document>['Statement']
  /** Statements that allowed something so far. */
  readonly used = new Set<string>()

  constructor(name: PolicyName, places: Readonly<Record<string, string>>) {
    const template = readFileSync(new URL(`../../infra/terraform/policies/${name}.json.tftpl`, import.meta.url), 'utf8')
    const text = template.replace(/\$\{(\w+)\}/g, (_all, place: string) => {
      const value = places[place]
      if (value === undefined) throw new Error(`the policy of the ${name} has an unknown place ${place}`)
      return value
    })
    this.#statements = document.parse(JSON.parse(text)).Statement
  }

  get statements(): string[] {
    return this.#statements.map(({ Sid }) => Sid)
  }

  allows({ method, bucket, key, query }: Pick<S3Request, 'method' | 'bucket' | 'key' | 'query'>): boolean {
    const action = actionOf(method, key, query)
    if (action === undefined) return false
    const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`
    const statement = this.#statements.find(
      ({ Action, Resource, Condition }) =>
        Action.includes(action) &&
        Resource.some((pattern) => isLike(resource, pattern)) &&
        (Condition?.StringLike['s3:prefix'].some((pattern) => isLike(query.get('prefix') ?? '', pattern)) ?? true),
    )
    if (statement) this.used.add(statement.Sid)
    return statement !== undefined
  }
}

const actions: Readonly<Record<string, string>> = {
  GET: 's3:GetObject',
  HEAD: 's3:GetObject',
  PUT: 's3:PutObject',
  // Begins or completes a multipart upload.
  POST: 's3:PutObject',
  DELETE: 's3:DeleteObject',
}

function actionOf(method: string, key: string, query: URLSearchParams): string | undefined {
  if (key === '') return query.has('uploads') ? 's3:ListBucketMultipartUploads' : 's3:ListBucket'
  return method === 'DELETE' && query.has('uploadId') ? 's3:AbortMultipartUpload' : actions[method]
}

/** IAM's wildcards: `*` is any text, slashes too, `?` one character. */
function isLike(text: string, pattern: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text)
}
