import { InputError } from '../base/errors.ts'
import { hasLooseCredentials } from '../base/looseCredentials.ts'
import { withoutPassword } from '../base/telemetry.ts'

/** The URL of an S3 service, without a slash at its end. Raises InputError `bad-option`. */
export function serviceUrl(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (hasLooseCredentials(endpoint)) {
    throw new InputError('bad-option', 'the S3 endpoint has an @ behind its host; write it as http://host:9000')
  }
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const shown = withoutPassword(endpoint)
    throw new InputError('bad-option', `the S3 endpoint "${shown}" is no URL such as http://host:9000; correct it`)
  }
  return url.href.replace(/\/$/, '')
}
