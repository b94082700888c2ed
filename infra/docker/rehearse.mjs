// Plays a Dockerfile without Docker: each stage in a copy of a Debian folder, its RUN lines under chroot.
//
//   debootstrap --variant=minbase bookworm base        and Node.js with npm under base/usr/local
//   node infra/docker/rehearse.mjs infra/docker/Dockerfile base stages
//
// Needs root. Knows the instructions that our Dockerfiles use, takes `base` for every image that is not a stage, and
// stops at any other. The final stage's folder is printed. Environment variables REHEARSE_… reach RUN
// without the prefix, and stand over ARG and ENV.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

const [file = '', base = '', out = ''] = process.argv.slice(2)
const context = process.cwd()
const ignored = readFileSync('.dockerignore', 'utf8').split('\n')
const stages = new Map()
let stage

const fail = (message) => {
  throw new Error(message)
}
const run = (program, args, options = {}) => {
  const { status } = spawnSync(program, args, { stdio: 'inherit', ...options })
  if (status !== 0) fail(`${program} ${args.join(' ')} ended with ${status}`)
}
const inStage = (path) => join(stage.folder, path.startsWith('/') ? path : join(stage.workdir, path))

const instructions = {
  FROM(rest) {
    const [image, , name = String(stages.size)] = rest.split(/\s+/)
    const parent = stages.get(image) ?? { folder: resolve(base), workdir: '/', environment: {}, user: '0:0' }
    stage = { ...parent, folder: resolve(out, name), environment: { ...parent.environment } }
    mkdirSync(stage.folder, { recursive: true })
    run('cp', ['-a', `${parent.folder}/.`, stage.folder])
    stages.set(name, stage)
  },
  WORKDIR(rest) {
    stage.workdir = rest
    mkdirSync(inStage('.'), { recursive: true })
  },
  ENV(rest) {
    for (const pair of rest.split(/\s+/))
      stage.environment[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1)
  },
  USER(rest) {
    stage.user = rest
  },
  COPY(rest) {
    const words = rest.split(/\s+/)
    const from = words[0].startsWith('--from=') ? stages.get(words.shift().slice(7)).folder : context
    const target = words.pop()
    for (const source of words) {
      if (from === context && !ignored.some((line) => line === `!${source}`))
        fail(`.dockerignore keeps ${source} from the builder`)
      const path = join(from, source)
      if (!existsSync(path)) fail(`there is no ${source} to copy`)
      const to = /\/$/.test(target) ? join(inStage(target), basename(source)) : inStage(target)
      mkdirSync(dirname(to), { recursive: true })
      cpSync(path, to, { recursive: true, verbatimSymlinks: true })
    }
  },
  RUN(rest) {
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      ...stage.environment,
    }
    for (const [name, value] of Object.entries(process.env))
      if (name.startsWith('REHEARSE_')) env[name.slice('REHEARSE_'.length)] = value
    const script = `cd ${stage.workdir} && ${rest}`
    run('mount', ['--bind', '/proc', join(stage.folder, 'proc')])
    try {
      run('chroot', [`--userspec=${stage.user}`, stage.folder, 'sh', '-ec', script], { env })
    } finally {
      run('umount', [join(stage.folder, 'proc')])
    }
  },
  ARG(rest) {
    stage.environment[rest.slice(0, rest.indexOf('='))] = rest.slice(rest.indexOf('=') + 1)
  },
  ENTRYPOINT: (rest) => void JSON.parse(rest),
  CMD: (rest) => void JSON.parse(rest),
  HEALTHCHECK: (rest) => void JSON.parse(rest.slice(rest.indexOf('CMD ') + 4)),
  LABEL() {},
}

const lines = readFileSync(file, 'utf8')
  .replace(/^\s*#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
for (const line of lines.map((text) => text.trim()).filter(Boolean)) {
  const [name] = line.split(/\s+/)
  if (!(name in instructions)) fail(`${name} is not rehearsed here`)
  console.error(`>> ${line.slice(0, 160)}`)
  instructions[name](line.slice(name.length).trim())
}
console.log(stage.folder)
