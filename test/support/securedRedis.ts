import { execFile, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { freeClusterPort, provideTestRedis } from './redis.ts'

/** The rules of one of the users in infra/redis, as they are shipped. */
export const aclRules = async (user: 'headlight' | 'keda'): Promise<string> =>
  (await readFile(new URL(`../../infra/redis/${user}.acl`, import.meta.url), 'utf8')).trim()

/** It makes the certificate, and not every machine has it. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

export interface SecuredRedis {
  readonly port: number
  /** PEM file of the authority that signed the server's certificate. */
  readonly caFile: string
  /** May do everything, to look at what the others did. */
  readonly admin: Redis
  /** `rediss://user:password@localhost:port` */
  url(user: 'headlight' | 'keda'): string
  stop(): Promise<void>
}

/**
 * A Redis as a careful administrator sets it up: TLS only, the default user off, and the users of infra/redis with
 * passwords that the server knows as digests only. The certificate is made by `openssl` and names localhost.
 *
 * @param clusterRules what a node of a cluster allows headlight's user besides; with them the server is such a node, the
 *   only one of its cluster
 */
export async function startSecuredRedis(
  passwords: Record<'headlight' | 'keda', string>,
  clusterRules?: string,
): Promise<SecuredRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-tls-'))
  const [caFile, keyFile] = [join(folder, 'server.pem'), join(folder, 'server.key')]
  const request = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost'
  await promisify(execFile)('openssl', [...request.split(' '), '-keyout', keyFile, '-out', caFile])
  const adminPassword = 'only of this test'
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  const lines = [
    'user default off',
    `user admin on #${digest(adminPassword)} ~* &* +@all`,
    `user headlight on #${digest(passwords.headlight)} ${await aclRules('headlight')} ${clusterRules ?? ''}`,
    `user keda on #${digest(passwords.keda)} ${await aclRules('keda')}`,
  ]
  await writeFile(join(folder, 'users.acl'), `${lines.join('\n')}\n`)
  const port = await freeClusterPort()
  const settings = `
    port 0
    tls-port ${port}
    bind 127.0.0.1
    tls-cert-file ${caFile}
    tls-key-file ${keyFile}
    tls-ca-cert-file ${caFile}
    tls-auth-clients no
    aclfile ${folder}/users.acl
    maxmemory-policy noeviction
    save ""
    dir ${folder}
    ${clusterRules === undefined ? '' : 'cluster-enabled yes\ntls-cluster yes\ncluster-announce-ip 127.0.0.1'}
  `
  await writeFile(join(folder, 'redis.conf'), settings)
  const server = spawn(await provideTestRedis(), [join(folder, 'redis.conf')], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  server.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(server, 'exit')
  while (!said.includes('Ready to accept connections')) {
    if (server.exitCode !== null) throw new Error(`redis-server ended with code ${server.exitCode}: ${said}`)
    await sleep(20)
  }
  const admin = new Redis({
    host: 'localhost',
    port,
    username: 'admin',
    password: adminPassword,
    tls: { ca: await readFile(caFile) },
    enableReadyCheck: false,
    // Else its own question would stand among the server's refusals.
    disableClientInfo: true,
  })
  if (clusterRules !== undefined) {
    await admin.cluster('ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot))
    while (!(await admin.cluster('INFO')).includes('cluster_state:ok')) await sleep(20)
  }
  return {
    port,
    caFile,
    admin,
    url: (user) => {
      const query = clusterRules === undefined ? '' : '?cluster=1'
      return `rediss://${user}:${encodeURIComponent(passwords[user])}@localhost:${port}${query}`
    },
    stop: async () => {
      admin.disconnect()
      server.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
