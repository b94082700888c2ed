import type { ColourScale } from '../../../report/charts/colourScale.ts'
import { fewImages } from '../../../report/fewImages.ts'

interface HeatLegendProps {
  /** What the numbers are, with their unit. */
  readonly name: string
  readonly scale: ColourScale
}

/** What the colours of a heat grid mean. */
export function HeatLegend({ name, scale }: HeatLegendProps) {
  return (
    <p class="scale">
      <span>{name}</span>
      {/* The report's own, without a word from data. */}
      <span class="steps" dangerouslySetInnerHTML={{ __html: scale.legend }} />
      <span>
        <i class="few" /> hatched: fewer than {fewImages} images
      </span>
    </p>
  )
}
