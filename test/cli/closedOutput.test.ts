import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { headlight, imageFolder, inFolder, main, networkFile, startHeadlight } from '../support/headlight.ts'
import { processRuns, searchPathWithRedis, startTestRedis } from '../support/redis.ts'
import { shell } from '../support/shell.ts'

let PATH = ''

beforeAll(async () => {
  PATH = await searchPathWithRedis()
})

/** Four images and one that is none, so that the exit code with --strict is 3. */
async function makeImages(folder: string): Promise<void> {
  await mkdir(join(folder, 'images'))
  for (const name of await readdir(imageFolder)) await copyFile(join(imageFolder, name), join(folder, 'images', name))
  await writeFile(join(folder, 'images', 'none.png'), 'no image')
}

const data = `--dataset images --output out --network '${networkFile}' --objective sum --strict`
const own = '--state-folder state --cache-folder cache'

/** Whether the private Redis of the only output still runs. */
async function redisRuns(folder: string): Promise<boolean> {
  const [name = ''] = await readdir(join(folder, 'state', 'redis'))
  const pid = await readFile(join(folder, 'state', 'redis', name, 'server.pid'), 'utf8').catch(() => '')
  return pid !== '' && processRuns(Number(pid))
}

async function state(folder: string): Promise<unknown> {
  const { stdout } = await headlight(['status', '--output', join(folder, 'out'), '--json'])
  return (JSON.parse(stdout) as { sets: unknown[] }).sets[0]
}

const completed = { state: 'completed', images: 5, failed: 1, hold: null }

describe('an output that nobody reads any more', () => {
  it('does not end a run, which tells its real exit code and stops its Redis', { timeout: 120_000 }, () =>
    inFolder(async (folder) => {
      await makeImages(folder)
      const { stdout } = await shell(
        `{ headlight run ${data} ${own}; echo $? >code; } 2>&1 | head -1
         cat code
         # On what the run has made, which costs little: descriptors that are full, closed, and closed soon.
         headlight status --output out >/dev/full 2>said; echo "status $?"
         headlight report out >&- 2>&-; echo "report $?"
         { headlight dataset check images --network '${networkFile}' --quiet; echo "check $?" >check; } 2>&1 | true
         cat check
         headlight explain images/none.png --network '${networkFile}' >/dev/full 2>/dev/full; echo "wrong $?"
         headlight explain images/BIWI00000003*.png --network '${networkFile}' --overlay o.png >&- 2>&-
         echo "explain $?"
         { headlight status latest --output out --watch --json; echo "watch $?" >watch; } | true
         cat watch`,
        folder,
        { PATH },
      )
      const codes = ['3', 'status 0', 'report 0', 'check 0', 'wrong 2', 'explain 0', 'watch 0']
      expect(stdout.trimEnd().split('\n').slice(1)).toEqual(codes)
      expect(await state(folder)).toMatchObject(completed)
      expect(await redisRuns(folder)).toBe(false)
      expect(await readFile(join(folder, 'said'), 'utf8')).toMatch(
        /^headlight: standard output cannot be .*ENOSPC.*\n$/,
      )
      expect((await readFile(join(folder, 'o.png'))).length).toBeGreaterThan(100)
    }),
  )

  it('ends neither produce nor worker nor producer, in either form of their logs', { timeout: 120_000 }, () =>
    inFolder(async (folder) => {
      await makeImages(folder)
      const redis = await startTestRedis()
      const environment = { PATH, HEADLIGHT_REDIS: `redis+unix://${redis.connection.redis.path}` }
      const worker = (name: string, format: string) =>
        startHeadlight(
          ['worker', '--units', '1', '--log-format', format, '--cache-folder', join(folder, name)],
          environment,
        )
      const standing = [worker('a', 'json'), worker('b', 'text'), startHeadlight(['producer'], environment)]
      try {
        for (const { said, leave } of standing) {
          await said('waiting for')
          leave()
        }
        const { stdout } = await shell(
          `{ headlight produce ${data} --shard-size 1; echo $? >code; } 2>&1 | true
           cat code
           { headlight produce ${data} --detach; echo $? >code; } 2>&1 | true
           cat code
           headlight status latest --output out --watch >/dev/null`,
          folder,
          environment,
        )
        expect(stdout).toBe('3\n0\n')
        expect(await state(folder)).toMatchObject(completed)
        // They have no terminal that could have been closed.
        for (const { kill } of standing) kill('SIGHUP')
        for (const { kill } of standing) kill('SIGTERM')
        expect(await Promise.all(standing.map(async ({ ended }) => (await ended).code))).toEqual([0, 0, 0])
      } finally {
        for (const { kill } of standing) kill('SIGKILL')
        await redis.stop()
      }
    }),
  )
})

it('a terminal that is closed interrupts a run, which stops its Redis', { timeout: 120_000 }, () =>
  inFolder(async (folder) => {
    await makeImages(folder)
    // script(1) gives a terminal of its own, which is closed when it ends.
    const terminal = openTerminal(`run ${data} ${own} --engine reference --units 1`, folder)
    await terminal.said('/5 images')
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
    terminal.close()
    await expect.poll(() => processRuns(pid), { timeout: 60_000, interval: 50 }).toBe(false)
    expect(await redisRuns(folder)).toBe(false)
    expect(await state(folder)).toMatchObject({ state: 'interrupted', hold: null })
  }),
)

/** The built command on a terminal of its own, its process id in the file `pid`. */
function openTerminal(args: string, folder: string): { said: (text: string) => Promise<void>; close: () => void } {
  const command = `echo $$ >pid; exec '${process.execPath}' '${main}' ${args}`
  const child = spawn('script', ['-q', '-c', command, '/dev/null'], {
    cwd: folder,
    env: { PATH, HOME: folder, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  return {
    said: async (text) => {
      while (!shown.includes(text)) await once(child.stdout, 'data')
    },
    close: () => void child.kill('SIGKILL'),
  }
}
