import { z } from 'zod'
import { hasLooseCredentials } from '../../base/looseCredentials.ts'
import { ordinaryPriority, runPrioritySchema } from '../../base/runPriority.ts'
import { adapterFlag, adapterFlags } from '../../dataset/adapters.ts'
import { gradientChoices, mapStyles, relu6Rules, scopes } from '../../saliency/choices.ts'
import { engineChoices } from '../../saliency/engines/openEngine.ts'

const webUrl = z.url({ protocol: /^https?$/ })
const endpoint = webUrl.refine((url) => !hasLooseCredentials(url))
/** Its path may rightly hold an @, where nothing before the path can be the beginning of a login. */
const webhook = webUrl.refine((url) => !hasLooseCredentials(url) || /^https?:\/\/[^/?#\\:@]+[/?#]/i.test(url))

/**
 * Every setting of headlight, documented once: `--help`, `docs/configuration.md`, the config file, the environment and
 * the flags are all read from this schema. `group` orders the documentation, `unit` names what a number counts,
 * `placeholder` is what `--help` writes for the value, and `automatic` says what is done where there is no default.
 *
 * Key, flag and environment name are one word: `shardSize`, `--shard-size`, `HEADLIGHT_SHARD_SIZE`.
 */
export const settingsSchema = z.strictObject({
  dataset: z.string().min(1).optional().meta({
    group: 'data',
    placeholder: 'URI',
    description: 'Where the images are: s3://bucket/prefix/, file:///folder/ or a path. Only ever read.',
  }),
  output: z.string().min(1).optional().meta({
    group: 'data',
    placeholder: 'URI',
    description: 'Where result sets are written: s3://bucket/prefix/, file:///folder/ or a path outside the dataset.',
  }),
  network: z.string().min(1).optional().meta({
    group: 'data',
    placeholder: 'FILE',
    description:
      'The network: a PyTorch checkpoint, safetensors or an ONNX file, by a path, file:///folder/model.pkl or s3://bucket/model.pkl. Weights that an ONNX file keeps in a second file (model.onnx.data) are read from beside it. FILE.yaml beside it overrides parts of its description (see headlight network inspect).',
  }),
  description: z.string().min(1).optional().meta({
    group: 'data',
    placeholder: 'NAME|FILE',
    automatic: 'FILE.yaml beside the network, where it is there',
    description:
      'What the network expects and means: a name of headlight network list (6drepnet, 3ddfa-v2 …), or a YAML file, by a path or s3://bucket/own.yaml. It is taken instead of FILE.yaml beside the network.',
  }),
  adapter: adapterFlag,
  ...adapterFlags,
  exifOrientation: z.boolean().default(false).meta({
    group: 'data',
    description: 'Turn images as their EXIF orientation says before anything else.',
  }),
  maxPixels: z.int().min(1).default(100_000_000).meta({
    group: 'data',
    placeholder: 'N',
    unit: 'pixels',
    description: 'Larger images are refused before they are decoded and become failed records.',
  }),
  s3Endpoint: endpoint.optional().meta({
    group: 'data',
    placeholder: 'URL',
    automatic: "the AWS SDK's own environment and files",
    description: 'Endpoint of an S3 service that is not AWS (Ceph, MinIO and kin), for dataset, network and output.',
  }),
  outputS3Endpoint: endpoint.optional().meta({
    group: 'data',
    placeholder: 'URL',
    automatic: 'as --s3-endpoint',
    description: 'Endpoint for the output alone, where it lies in another S3 service than the dataset.',
  }),

  objective: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default('sum')
    .meta({
      group: 'explanation',
      placeholder: 'NAMES',
      description:
        'What is differentiated, one or several by comma: sum, yaw, pitch, roll, each (the three one by one), of bins yaw:top and yaw:bin:N, of a classifier class:N, class:top and class:label (the class that the index gives for the image), of any network output:N, or output:NAME:N where it has several outputs; a minus before any of them takes its negative (--objective=-yaw).',
    }),
  scope: z.enum(scopes).default('all').meta({
    group: 'explanation',
    description:
      'Which activations (ReLU, ReLU6, PReLU) are guided: all (Springenberg et al. 2014), stem (only the first, as hooks on direct children do), none (plain gradient).',
  }),
  relu6: z.enum(relu6Rules).default('guided').meta({
    group: 'explanation',
    description:
      'How gradients pass a ReLU6: guided (only what is positive, and only where 0 < x < 6) or plain (its derivative, as in Captum and pytorch-grad-cam, which guide nothing but ReLU). Networks without ReLU6 have no use for it.',
  }),
  style: z.enum(mapStyles).default('origin').meta({
    group: 'explanation',
    description:
      'How a gradient becomes a picture: origin (normalised to grey, RGB) or magnitude (largest |g| of the channels, grey).',
  }),
  gradients: z.enum(gradientChoices).default('none').meta({
    group: 'explanation',
    description: 'Store the raw gradients too, as .npy; float16 stores g / max |g|.',
  }),
  logits: z.boolean().default(false).meta({
    group: 'explanation',
    description: "Add the heads' raw outputs to every record.",
  }),

  engine: z.enum(engineChoices).default('auto').meta({
    group: 'computing',
    description:
      'What runs the network (docs/engines.md). auto takes an engine on a GPU where one is usable, else onnxruntime:cpu; onnxruntime is short for onnxruntime:cpu, tfjs for tfjs:tensorflow; reference is slow and meant for checking.',
  }),
  units: z.int().min(1).optional().meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'child processes',
    automatic:
      'one per core or GPU, fewer where memory is short: reckoned at 700 MB each, and by what they take once it is measured',
    description:
      'How many units compute on this machine, each on one core. A number that is given is kept, whether the memory holds so many or not.',
  }),
  gpus: z
    .string()
    .regex(/^(all|\d+(,\d+)*)$/)
    .optional()
    .meta({
      group: 'computing',
      placeholder: 'all|0,1',
      automatic: 'every NVIDIA GPU that the engine can use',
      description: 'Which GPUs compute, by their numbers in nvidia-smi; one unit each.',
    }),
  batch: z.int().min(1).optional().meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'images',
    automatic: '1 on a CPU; on a GPU as many as its memory holds, at most 32',
    description: 'Images per engine call; on a CPU 1 is fastest.',
  }),
  shardSize: z.int().min(1).max(100_000).optional().meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'images',
    automatic: 'by the size of the dataset, at most 256',
    description: 'Images per queue job. A shard is committed as a whole; an interrupted one is computed again.',
  }),
  full: z.boolean().default(false).meta({
    group: 'computing',
    description: 'Compute every image again, also those that have not changed since the last run.',
  }),
  prune: z.boolean().default(false).meta({
    group: 'computing',
    description: 'Remove the maps and gradients of images that the dataset no longer holds, once the run is done.',
  }),
  keepRuns: z.int().min(1).optional().meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'runs',
    automatic: 'all',
    description:
      'Of runs that changed anything, keep only the newest N whole: once the run is done, tables, atlases and records of older ones are removed, but for what the results of now need. Their summaries stay. Comparing with the run before takes 2.',
  }),
  report: z.boolean().default(true).meta({
    group: 'computing',
    description:
      'With --no-report everything but the report is written. The page of an earlier run then only says that there is none of the results of now, and its pictures are removed; headlight report, or the next run without this option, draws it.',
  }),
  strict: z.boolean().default(false).meta({
    group: 'computing',
    description:
      'End with exit code 3 when a record of the result set is a failed one, or files were left out that may be images: for a name that is no UTF-8, or a suffix that is not taken.',
  }),
  fetchConcurrency: z.int().min(1).max(1024).optional().meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'requests',
    automatic: 'by the kind of store',
    description: 'How many images a unit fetches at the same time; raise it for a distant store.',
  }),
  graceSeconds: z.number().min(0).default(25).meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'seconds',
    description: 'How long a worker that is told to stop may go on to finish its shards before it hands them back.',
  }),
  unitSilenceSeconds: z.number().min(1).default(120).meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'seconds',
    description:
      'A unit that makes no progress for so long is killed and started again; its shard goes back. To start and to open a network it has --unit-start-seconds.',
  }),
  unitStartSeconds: z.number().min(1).max(86_400).default(600).meta({
    group: 'computing',
    placeholder: 'N',
    unit: 'seconds',
    description:
      'How long a unit may take to start, and then to open a network with its first batch on a GPU; an engine that auto tries may take as long. The library of a GPU that is newer than itself compiles all its kernels first: give it more there.',
  }),

  redis: z.string().min(1).optional().meta({
    group: 'queue',
    placeholder: 'URL',
    automatic: 'run and retry start a private server, which stops with the last command that uses it',
    description:
      'Redis ≥ 6.2 or Valkey: redis://user:password@host:6379/0, rediss://… (TLS), redis+unix:///path, redis://host?cluster=1, redis+sentinel://host:26379,host:26379/name/0 (rediss+sentinel://… for TLS; sentinelUser and sentinelPassword in the query). Percent-encode a password, and give it through the environment, where other users cannot see it.',
  }),
  allow: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .meta({
      group: 'queue',
      placeholder: 'PREFIXES',
      automatic: 'whatever the queue names',
      description:
        'What the queue may make this process touch, one or several by comma: datasets, outputs and networks at or below s3://bucket/prefix/, file:///folder/ or an absolute path; webhooks below https://host/. All else is refused before anything of it is fetched, and left to others.',
    }),
  priority: runPrioritySchema.default(ordinaryPriority).meta({
    group: 'queue',
    placeholder: 'N',
    unit: 'levels above or below the others',
    description:
      'Which runs on this Redis workers come to first: all shards of a higher number are taken before any of a lower one, and runs of one number take turns.',
  }),

  healthPort: z.int().min(0).max(65_535).optional().meta({
    group: 'health',
    placeholder: 'N',
    unit: 'TCP port',
    automatic: 'none is served',
    description:
      'Serve HTTP on this TCP port: /healthz (the process answers), /readyz (it takes work) and /metrics (for Prometheus, see docs/metrics.md). 0 takes a free port and logs it.',
  }),
  healthHost: z.string().min(1).default('127.0.0.1').meta({
    group: 'health',
    placeholder: 'ADDRESS',
    description:
      'The address that --health-port is bound to. Only this machine reaches the default; 0.0.0.0 is every machine that can, and there is no password.',
  }),

  port: z.int().min(0).max(65_535).default(8470).meta({
    group: 'web app',
    placeholder: 'N',
    unit: 'TCP port',
    description: 'Where headlight serve listens. 0 takes a free port.',
  }),
  host: z.string().min(1).default('127.0.0.1').meta({
    group: 'web app',
    placeholder: 'ADDRESS',
    description:
      'The address that headlight serve listens on. Only this machine reaches the default. With 0.0.0.0 every machine does that can, over plain HTTP: name your host with --allow-host, and prefer ssh -L or a proxy.',
  }),
  allowHost: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .meta({
      group: 'web app',
      placeholder: 'NAMES',
      automatic: 'localhost, 127.0.0.1 and [::1]',
      description:
        'Further host names by which browsers may call headlight serve, one or several by comma, without ports. A call by any other name is refused.',
    }),
  behindProxy: z.boolean().default(false).meta({
    group: 'web app',
    description:
      'Ask for no token: a proxy in front of headlight serve lets in who may look. Needs --allow-host, and a network in which nobody else reaches the port.',
  }),
  basePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/)
    .optional()
    .meta({
      group: 'web app',
      placeholder: '/PATH',
      automatic: '/',
      description:
        'The path below which a proxy shows headlight serve, as in /headlight, without a slash at its end; the proxy leaves it in place.',
    }),

  stateFolder: z.string().min(1).optional().meta({
    group: 'folders',
    placeholder: 'FOLDER',
    automatic: '$XDG_STATE_HOME/headlight or ~/.local/state/headlight',
    description: "Where the private Redis server's files lie, and the token of headlight serve.",
  }),
  cacheFolder: z.string().min(1).optional().meta({
    group: 'folders',
    placeholder: 'FOLDER',
    automatic: '$XDG_CACHE_HOME/headlight or ~/.cache/headlight',
    description:
      'Where networks that were fetched from a store are kept, networks as they were compiled, how much memory they took, and the tables that headlight serve has read.',
  }),
  enginesFolder: z.string().min(1).optional().meta({
    group: 'folders',
    placeholder: 'FOLDER',
    automatic: '$XDG_DATA_HOME/headlight/engines or ~/.local/share/headlight/engines',
    description: 'Where headlight engine install puts engines.',
  }),

  json: z.boolean().default(false).meta({
    group: 'messages',
    description:
      'Print the result as one JSON document on standard output; an error too, as {"error": {code, message}}.',
  }),
  quiet: z.boolean().default(false).meta({
    group: 'messages',
    description: 'No progress and no closing words; warnings and errors are still written.',
  }),
  webhook: webhook.optional().meta({
    group: 'messages',
    placeholder: 'URL',
    automatic: 'none is told',
    description:
      'POST how a run ended to this URL, as JSON with its summary, repeated while there is no answer. With HEADLIGHT_WEBHOOK_SECRET in the environment the header X-Headlight-Signature holds sha256= and the HMAC-SHA256 of the body.',
  }),
  logLevel: z.enum(['debug', 'info', 'warn', 'silent']).optional().meta({
    group: 'messages',
    placeholder: 'LEVEL',
    automatic: 'info for worker and producer, else warn',
    description: 'How much is logged to standard error.',
  }),
  logFormat: z.enum(['text', 'json']).optional().meta({
    group: 'messages',
    placeholder: 'FORMAT',
    automatic: 'text on a terminal, else json',
    description: 'How worker and producer write to standard error: everything as text, or everything as lines of JSON.',
  }),
  debug: z.boolean().default(false).meta({
    group: 'messages',
    description: 'Show the stack of an unexpected error.',
  }),
})

/** What the groups of settings are called, in `--help` and in the documentation. */
export const groupTitles: Readonly<Record<string, string>> = {
  data: 'Data',
  explanation: 'What is explained',
  computing: 'Computing',
  queue: 'Queue',
  health: 'Health and metrics',
  'web app': 'Web app',
  folders: 'Folders',
  messages: 'Messages',
}

/** All settings with their defaults filled in. */
export type Settings = z.output<typeof settingsSchema>
export type SettingName = keyof Settings

export const settingNames = Object.keys(settingsSchema.shape) as SettingName[]
