import { withoutPassword } from '../../../base/telemetry.ts'
import { withPlaces } from '../../../storage/place.ts'
import type { Call } from '../../command.ts'
import { announcements, givenNetwork } from '../../shared/networkFile.ts'
import type { Finding } from './checks.ts'

/** Whether the network can be read from here, and is one. Never rejects. */
export async function checkNetwork(call: Call, given: string): Promise<Finding> {
  const name = 'network'
  try {
    const file = await givenNetwork(call, given)
    const { network, bytes, externalData } = file
    const heads = [...new Set(network.description.heads.map(({ output }) => output))].join(', ')
    const files = [{ file: network.file, digest: network.digest, bytes }, externalData ?? []].flat()
    const told = files.map(
      (one) => `${one.file}, ${(one.bytes.byteLength / 1e6).toFixed(1)} MB, sha256 ${one.digest.slice(0, 16)}…`,
    )
    const detail = `${told.join(', and ')}, with ${heads}`
    const known = (await announcements(file)).join(' ')
    return { name, ok: true, detail, remedy: known === '' ? null : known }
  } catch (error) {
    const said = withPlaces(withoutPassword(error instanceof Error ? error.message : String(error)))
    return { name, ok: false, detail: said, remedy: null }
  }
}
