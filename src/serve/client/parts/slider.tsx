import { useState } from 'preact/hooks'
import { Picture } from './picture.tsx'

interface Side {
  /** Of the picture, below the base path. */
  readonly address: string
  readonly name: string
}

interface SliderProps {
  readonly under: Side
  readonly over: Side
  readonly width: number
  readonly height: number
  /** They are fetched as soon as they come near the window. */
  readonly isLazy?: boolean
}

/** Two pictures of one size over each other: a native range moves the border between them, by mouse, finger and keys. */
export function Slider({ under, over, width, height, isLazy = false }: SliderProps) {
  const [percent, setPercent] = useState(50)
  const label = `${over.name} to the left of the border, ${under.name} to the right`
  return (
    <div class="slider">
      <div class="pictures" style={{ aspectRatio: `${width} / ${height}` }}>
        <Picture address={under.address} alt={under.name} width={width} height={height} isLazy={isLazy} />
        <div class="over" style={{ clipPath: `inset(0 ${100 - percent}% 0 0)` }}>
          <Picture address={over.address} alt={over.name} width={width} height={height} isLazy={isLazy} />
        </div>
        <div class="border" style={{ left: `${percent}%` }} />
        <input
          type="range"
          min={0}
          max={100}
          value={percent}
          aria-label={label}
          aria-valuetext={`${percent} % ${over.name}`}
          onInput={(event) => setPercent(Number(event.currentTarget.value))}
        />
      </div>
      <p class="sides" aria-hidden="true">
        <span>{over.name}</span>
        <span>{under.name}</span>
      </p>
    </div>
  )
}
