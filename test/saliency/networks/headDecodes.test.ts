import { describe, expect, test } from 'vitest'
import { angleError, angleNames, type AngleName, type Pose } from '../../../src/pose/euler.ts'
import { poseOfRotation, rotationOf, type Rotation } from '../../../src/pose/geodesic.ts'
import { gradientOf } from '../../../src/saliency/backward.ts'
import { decodeHeads } from '../../../src/saliency/decode.ts'
import { openOnnxRuntime } from '../../../src/saliency/engines/onnxruntime.ts'
import { evaluate } from '../../../src/saliency/engines/reference.ts'
import type { Graph } from '../../../src/saliency/graph.ts'
import type { Head } from '../../../src/saliency/networks/heads/kinds.ts'
import { make } from '../../../src/saliency/ops.ts'
import { seededRandom } from '../../support/operationExamples.ts'

// Every decode against the formula that it cites, written here once more in float64. The graph's constants are float32
// (180 / π among them), which is 4e-6 of 180 degrees.
const tolerance = 1e-5

const normalOf = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - Math.abs(random()) * 0.999999)) * Math.cos(Math.PI * random())

const random = seededRandom(16)
const normals = (count: number): number[] => Array.from({ length: count }, () => normalOf(random))
const many = 2000

/** The angles of a head for each row of its output's numbers. */
function decoded(head: Head, rows: readonly (readonly number[])[]): Record<AngleName, number | undefined>[] {
  const results = evaluate(graphOf(head, rows, []), new Map([['out', rows.flat()]]))
  return rows.map((_, row) => {
    const angle = (name: AngleName) => results.get(name)?.[row]
    return { yaw: angle('yaw'), pitch: angle('pitch'), roll: angle('roll') }
  })
}

/** The head's angles by name, and the gradients of these angles as `d<name>`. */
function graphOf(head: Head, rows: readonly (readonly number[])[], wanted: readonly AngleName[]): Graph {
  const out = make('input', [], { name: 'out', shape: [rows.length, rows[0]?.length ?? 0], dtype: 'float32' })
  const { angles } = decodeHeads([head], new Map([['out', out]]))
  const outputs = new Map<string, typeof out | NonNullable<ReturnType<typeof angles.get>>>(angles)
  for (const name of wanted) {
    const angle = angles.get(name)
    if (angle !== undefined) outputs.set(`d${name}`, gradientOf(angle, out, 'none'))
  }
  return { outputs }
}

/** The largest difference, the right way round the circle. */
function apart(found: readonly Record<AngleName, number | undefined>[], expected: readonly Pose[]): number {
  return Math.max(
    ...expected.flatMap((pose, row) =>
      angleNames.map((name) => {
        const error = Math.abs(angleError(found[row]?.[name] ?? NaN, pose[name]))
        return Number.isNaN(error) ? Infinity : error
      }),
    ),
  )
}

const degrees = (radians: number): number => (radians * 180) / Math.PI
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0)
const scaled = (a: readonly number[], by: number): number[] => a.map((v) => v * by)
const added = (a: readonly number[], b: readonly number[]): number[] => a.map((v, i) => v + (b[i] ?? 0))
const unit = (a: readonly number[]): number[] => scaled(a, 1 / Math.max(Math.sqrt(dot(a, a)), 1e-8))
function cross([a = 0, b = 0, c = 0]: readonly number[], [d = 0, e = 0, f = 0]: readonly number[]): number[] {
  return [b * f - c * e, c * d - a * f, a * e - b * d]
}
type Matrix = readonly (readonly number[])[]
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => [0, 1, 2].map((j) => row.reduce((sum, v, k) => sum + v * (b[k]?.[j] ?? 0), 0)))
const transposeOf = (a: Matrix): number[][] => [0, 1, 2].map((j) => a.map((row) => row[j] ?? 0))
const entry = (a: Matrix, i: number, j: number): number => a[i]?.[j] ?? NaN

const [sin, cos] = [Math.sin, Math.cos]
const rightHanded = {
  x: (t: number): Matrix => [
    [1, 0, 0],
    [0, cos(t), -sin(t)],
    [0, sin(t), cos(t)],
  ],
  y: (t: number): Matrix => [
    [cos(t), 0, sin(t)],
    [0, 1, 0],
    [-sin(t), 0, cos(t)],
  ],
  z: (t: number): Matrix => [
    [cos(t), -sin(t), 0],
    [sin(t), cos(t), 0],
    [0, 0, 1],
  ],
}
const radians = ({ yaw, pitch, roll }: Pose) =>
  [yaw, pitch, roll].map((angle) => (angle * Math.PI) / 180) as [number, number, number]

/** 6DRepNet's `get_R`: its training label of a pose. */
function sixDRepNetLabel(pose: Pose): Matrix {
  const [yaw, pitch, roll] = radians(pose)
  return product(rightHanded.z(roll), product(rightHanded.y(yaw), rightHanded.x(pitch)))
}

/** 6DRepNet's `compute_euler_angles_from_rotation_matrices`. */
function sixDRepNetAngles(r: Matrix): Pose {
  const sy = Math.sqrt(entry(r, 0, 0) ** 2 + entry(r, 1, 0) ** 2)
  const yaw = degrees(Math.atan2(-entry(r, 2, 0), sy))
  if (sy < 1e-6) return { yaw, pitch: degrees(Math.atan2(-entry(r, 1, 2), entry(r, 1, 1))), roll: 0 }
  return {
    yaw,
    pitch: degrees(Math.atan2(entry(r, 2, 1), entry(r, 2, 2))),
    roll: degrees(Math.atan2(entry(r, 1, 0), entry(r, 0, 0))),
  }
}

/** 6DRepNet's `compute_rotation_matrix_from_ortho6d`. */
function fromOrtho6d(o: readonly number[]): Matrix {
  const x = unit(o.slice(0, 3))
  const z = unit(cross(x, o.slice(3, 6)))
  return transposeOf([x, cross(z, x), z])
}

/** RotationMatrix.m of 300W-LP and AFLW2000-3D. */
function rotationMatrixM(pose: Pose): Matrix {
  const [yaw, pitch, roll] = radians(pose)
  return product(
    product(transposeOf(rightHanded.x(pitch)), transposeOf(rightHanded.y(yaw))),
    transposeOf(rightHanded.z(roll)),
  )
}

/** The matrix of v → q v q*, by Hamilton's product. */
function ofQuaternion([w = 0, x = 0, y = 0, z = 0]: readonly number[]): Matrix {
  const times = (p: readonly number[], q: readonly number[]): number[] => {
    const [a = 0, ...u] = p
    const [b = 0, ...v] = q
    return [a * b - dot(u, v), ...added(added(scaled(v, a), scaled(u, b)), cross(u, v))]
  }
  const n = w * w + x * x + y * y + z * z
  const images = [0, 1, 2].map((axis) =>
    scaled(times(times([w, x, y, z], [0, ...[0, 0, 0].with(axis, 1)]), [w, -x, -y, -z]).slice(1), 1 / n),
  )
  return transposeOf(images)
}

const asRotation = (m: Matrix): Rotation => m as unknown as Rotation
/** Within the range that a matrix tells: yaw ±90°, the others ±180°. */
const poses = Array.from({ length: many }, (): Pose => ({
  yaw: 90 * random(),
  pitch: 180 * random(),
  roll: 180 * random(),
}))
const factor = (): number => 10 ** (2 * random())

describe('bins and values', () => {
  test.each([0, 2])('bins in part of an output, from number %d on', (start) => {
    const head: Head = { kind: 'binned', output: 'out', angle: 'roll', bins: 5, step: 3, offset: -7, sign: -1, start }
    const rows = Array.from({ length: 50 }, () => normals(9))
    const expected = rows.map((row) => {
      const weights = row.slice(start, start + 5).map(Math.exp)
      const total = weights.reduce((a, b) => a + b, 0)
      return -(weights.reduce((sum, weight, i) => sum + (weight / total) * i * 3, 0) - 7)
    })
    const found = decoded(head, rows)
    expect(Math.max(...found.map(({ roll }, i) => Math.abs((roll ?? NaN) - (expected[i] ?? NaN))))).toBeLessThan(
      tolerance,
    )
    expect(found[0]?.yaw).toBeUndefined()
  })

  test.each([
    [{}, (v: number) => v],
    [{ sign: -1 } as const, (v: number) => -v],
    [{ scale: 180, offset: -90 }, (v: number) => v * 180 - 90],
    [{ scale: 2, offset: 1, unit: 'radians', sign: -1 } as const, (v: number) => -degrees(v * 2 + 1)],
  ])('a value with %j', (how, formula) => {
    const head: Head = { kind: 'value', output: 'out', angle: 'yaw', unit: 'degrees', sign: 1, index: 1, ...how }
    const rows = Array.from({ length: 50 }, () => normals(3))
    const worst = decoded(head, rows).map(({ yaw }, i) => Math.abs((yaw ?? NaN) - formula(rows[i]?.[1] ?? NaN)))
    expect(Math.max(...worst)).toBeLessThan(tolerance)
  })
})

describe('rotations', () => {
  test('the 6 numbers of 6DRepNet, as its own code reads them', () => {
    const rows = Array.from({ length: many }, () => scaled(normals(6), factor()))
    const found = decoded({ kind: 'rotation6d', output: 'out', euler: 'zyx' }, rows)
    expect(
      apart(
        found,
        rows.map((row) => sixDRepNetAngles(fromOrtho6d(row))),
      ),
    ).toBeLessThan(tolerance)
  })

  test('its labels come back as they were, also from columns that are neither of length 1 nor at right angles', () => {
    const rows = poses.map((pose) => {
      const [x = [], y = []] = transposeOf(sixDRepNetLabel(pose))
      return [...scaled(x, factor()), ...added(scaled(y, factor()), scaled(x, random()))]
    })
    const found = decoded({ kind: 'rotation6d', output: 'out', euler: 'zyx' }, rows)
    expect(apart(found, poses)).toBeLessThan(tolerance)
  })

  test('its gimbal lock: roll is 0, and pitch is read elsewhere', () => {
    // The second column turns about the first, which is the axis that cannot be seen.
    const rows = [-1, 1].flatMap((side) =>
      Array.from({ length: 50 }, () => [9e-7 * random() * 0.7, 9e-7 * random() * 0.7, side, ...normals(3)]),
    )
    const expected = rows.map((row) => sixDRepNetAngles(fromOrtho6d(row)))
    expect(new Set(expected.map(({ roll }) => roll))).toEqual(new Set([0]))
    const found = decoded({ kind: 'rotation6d', output: 'out', euler: 'zyx' }, rows)
    expect(apart(found, expected)).toBeLessThan(tolerance)
    expect(new Set(expected.map(({ pitch }) => Math.round(pitch / 60))).size).toBeGreaterThan(3)
  })

  test.each(['zyx', 'xyz'] as const)('matrices by %s, also transposed, with signs, in part of an output', (euler) => {
    const matrices = poses.map((pose) => (euler === 'zyx' ? sixDRepNetLabel(pose) : rotationOf(pose)))
    const rows = matrices.map((m) => m.flat())
    expect(apart(decoded({ kind: 'matrix', output: 'out', euler }, rows), poses)).toBeLessThan(tolerance)
    const turned = matrices.map((m) => [7, ...scaled(transposeOf(m).flat(), factor()), 7])
    const head: Head = { kind: 'matrix', output: 'out', euler, transpose: true, start: 1, signs: { pitch: -1 } }
    const mirrored = poses.map((pose) => ({ ...pose, pitch: -pose.pitch }))
    expect(apart(decoded(head, turned), mirrored)).toBeLessThan(tolerance)
  })

  test.each([
    ['wxyz', 'xyz', false],
    ['xyzw', 'zyx', true],
  ] as const)('quaternions %s by %s', (order, euler, transpose) => {
    const quaternions = Array.from({ length: many }, () => scaled(normals(4), factor()))
    const rows = quaternions.map(([w = 0, ...v]) => (order === 'wxyz' ? [w, ...v] : [...v, w]))
    const expected = quaternions.map((q) => {
      const r = transpose ? transposeOf(ofQuaternion(q)) : ofQuaternion(q)
      return euler === 'xyz' ? poseOfRotation(asRotation(r)) : sixDRepNetAngles(r)
    })
    const head: Head = { kind: 'quaternion', output: 'out', order, euler, ...(transpose ? { transpose } : {}) }
    expect(apart(decoded(head, rows), expected)).toBeLessThan(tolerance)
  })

  test('the pose of a 3DMM gives the angles of its labels back', () => {
    const [mean, std] = [normals(12), normals(12).map((v) => Math.abs(v) + 0.1)]
    const rows = poses.map((pose) => {
      const size = 1e-4 * factor()
      const parameters = rotationMatrixM(pose).flatMap((row) => [...scaled(row, size), 100 * random()])
      // Not in float32, so that the division cancels: what the network would give for these parameters.
      return parameters.map((value, i) => (value - (mean[i] ?? 0)) / (std[i] ?? 1))
    })
    const float32 = (values: readonly number[]) => [...Float32Array.from(values)]
    const exact: Head = { kind: 'pose3dmm', output: 'out', mean: float32(mean), std: float32(std) }
    const whitened = rows.map((row) =>
      row.map((v, i) => (v * (std[i] ?? 1) + (mean[i] ?? 0) - (exact.mean[i] ?? 0)) / (exact.std[i] ?? 1)),
    )
    expect(apart(decoded(exact, whitened), poses)).toBeLessThan(tolerance)
  })
})

const heads: readonly (readonly [name: string, head: Head, count: number])[] = [
  ['rotation6d zyx', { kind: 'rotation6d', output: 'out', euler: 'zyx' }, 6],
  ['rotation6d xyz transposed', { kind: 'rotation6d', output: 'out', euler: 'xyz', transpose: true }, 6],
  ['matrix zyx', { kind: 'matrix', output: 'out', euler: 'zyx' }, 9],
  ['matrix xyz', { kind: 'matrix', output: 'out', euler: 'xyz' }, 9],
  ['quaternion zyx', { kind: 'quaternion', output: 'out', order: 'wxyz', euler: 'zyx' }, 4],
  ['quaternion xyz', { kind: 'quaternion', output: 'out', order: 'xyzw', euler: 'xyz' }, 4],
  [
    'pose3dmm',
    { kind: 'pose3dmm', output: 'out', mean: new Array<number>(12).fill(0.1), std: new Array<number>(12).fill(2) },
    12,
  ],
  [
    'value',
    { kind: 'value', output: 'out', angle: 'yaw', unit: 'radians', sign: -1, scale: 3, offset: 1, index: 2 },
    4,
  ],
  ['binned', { kind: 'binned', output: 'out', angle: 'yaw', bins: 5, step: 3, offset: -7, sign: -1, start: 2 }, 9],
]

describe('gradients', () => {
  test.each(heads)('%s goes with finite differences in float64', (_, head, count) => {
    const rows = Array.from({ length: 30 }, () => normals(count))
    const graph = graphOf(head, rows, angleNames)
    const value = graphOf(head, rows, [])
    const computed = evaluate(graph, new Map([['out', rows.flat()]]))
    const step = 1e-6
    for (const name of angleNames.filter((angle) => graph.outputs.has(angle))) {
      for (let column = 0; column < count; column++) {
        const moved = (by: number) =>
          evaluate(value, new Map([['out', rows.flatMap((row) => row.with(column, (row[column] ?? 0) + by))]])).get(
            name,
          )
        const [above, below] = [moved(step), moved(-step)]
        rows.forEach((_row, i) => {
          const slope = angleError(above?.[i] ?? NaN, below?.[i] ?? NaN) / (2 * step)
          const found = computed.get(`d${name}`)?.[i * count + column] ?? NaN
          // The second difference grows where the slope does: near a pole.
          expect(Math.abs(found - slope)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(slope)) ** 1.5)
        })
      }
    }
  })

  const eye = [1, 0, 0, 0, 1, 0, 0, 0, 1]
  /** Poses and numbers in which some angle has no slope, by the number of outputs. */
  const singular = (count: number): number[][] => {
    const quarter = Math.SQRT1_2
    const special: Record<number, number[][]> = {
      6: [
        [0, 0, 1, 1, 0, 0],
        [0, 0, -1, 0, 1, 0],
        [0, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [1, 2, 3, 2, 4, 6],
        [1, 2, 3, -1, -2, -3],
        [1e-7, 0, 1, 0, 1, 0],
        [1e-25, 1e-25, 1, 1, 0, 0],
        [1e-20, 0, 1e-20, 0, 1e-20, 0],
        [1e6, 0, 1e6, 0, 1e6, 0],
      ],
      9: [
        eye,
        scaled(eye, 0),
        sixDRepNetLabel({ yaw: 90, pitch: 20, roll: 10 }).flat(),
        [0, 0, 1, 0, 1, 0, -1, 0, 0],
        [0, 0, -1, 0, 1, 0, 1, 0, 0],
      ],
      4: [
        [0, 0, 0, 0],
        [quarter, 0, quarter, 0],
        [0, quarter, 0, quarter],
        [quarter, 0, -quarter, 0],
        [1, 0, 0, 0],
        [1e-20, 0, 0, 0],
      ],
      12: [
        scaled(new Array<number>(12).fill(1), 0),
        new Array<number>(12).fill(-0.05),
        [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0].map((v) => (v - 0.1) / 2),
      ],
    }
    return special[count] ?? []
  }

  test.each(heads.filter(([, , count]) => singular(count).length > 0))(
    '%s is finite in singular poses',
    async (_, head, count) => {
      const rows = singular(count)
      const graph = graphOf(head, rows, angleNames)
      const executor = await openOnnxRuntime('cpu')(graph, { intraOpThreads: 1 })
      try {
        const inputs = new Map([['out', Float32Array.from(rows.flat())]])
        for (const results of [evaluate(graph, inputs), await executor.run(inputs)]) {
          for (const [name, values] of results)
            expect([name, [...values].filter((v) => !Number.isFinite(v))]).toEqual([name, []])
        }
      } finally {
        await executor.dispose()
      }
    },
  )
})

describe('float32 on the CPU', () => {
  test.each(heads.slice(0, 7))(
    '%s is within 2e-3° and its gradient within 1e-4 away from the poles',
    async (_, head, count) => {
      const rows = Array.from({ length: 400 }, () => [...Float32Array.from(normals(count))])
      const graph = graphOf(head, rows, angleNames)
      const inputs = new Map([['out', Float32Array.from(rows.flat())]])
      const exact = evaluate(graph, inputs)
      const executor = await openOnnxRuntime('cpu')(graph, { intraOpThreads: 1 })
      try {
        const found = await executor.run(inputs)
        const usual = rows.flatMap((_row, i) => (Math.abs(exact.get('yaw')?.[i] ?? NaN) < 85 ? [i] : []))
        expect(usual.length).toBeGreaterThan(350)
        for (const name of angleNames) {
          const errors = usual.map((i) =>
            Math.abs(angleError(found.get(name)?.[i] ?? NaN, exact.get(name)?.[i] ?? NaN)),
          )
          expect(Math.max(...errors)).toBeLessThan(2e-3)
          let [difference, norm] = [0, 0]
          for (const i of usual) {
            for (let at = i * count; at < (i + 1) * count; at++) {
              const value = exact.get(`d${name}`)?.[at] ?? NaN
              difference += ((found.get(`d${name}`)?.[at] ?? NaN) - value) ** 2
              norm += value ** 2
            }
          }
          expect(Math.sqrt(difference / norm)).toBeLessThan(1e-4)
        }
      } finally {
        await executor.dispose()
      }
    },
  )
})
