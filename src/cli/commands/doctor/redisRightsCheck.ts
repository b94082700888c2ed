import { redisRights } from '../../../queue/redisRights.ts'
import { redisConnection } from '../../../queue/redisUrl.ts'
import type { Finding } from './checks.ts'

/** Only how `status` counts workers. */
const dispensable = 'client|list'

/** What the user of this Redis may do. Nothing where it does not answer: the check of Redis itself says so. Never rejects. */
export async function checkRedisRights(url: string): Promise<Finding[]> {
  const name = 'Redis rights'
  try {
    const { missing, isKeyRefused, left } = await redisRights(redisConnection(url))
    const needed = missing.filter((command) => command !== dispensable)
    const rules = 'infra/redis/headlight.acl holds the rules of its user'
    const findings: Finding[] = []
    if (isKeyRefused) {
      const detail = 'the user may not use the keys that begin with {headlight}:'
      findings.push({ name, ok: false, detail, remedy: `add ~{headlight}:* to its rules; ${rules}` })
    }
    if (needed.length > 0) {
      const detail = `the user may not send ${needed.join(', ')}`
      const remedy = `add ${needed.map((command) => `+${command}`).join(' ')} to its rules; ${rules}`
      findings.push({ name, ok: false, detail, remedy })
    }
    if (left !== null) findings.push({ name, ok: true, detail: `${left} goes within a minute`, remedy: null })
    if (findings.length > 0) return findings
    const remedy = missing.length === 0 ? null : `status cannot count processes: +${dispensable} lets it`
    return [{ name, ok: true, detail: 'the user may send all that headlight sends', remedy }]
  } catch {
    return []
  }
}
