// Draws `window.shown`, which page.py makes, by the components that draw panels in Grafana.

import 'uplot/dist/uPlot.min.css';

import {
  applyNullInsertThreshold,
  createTheme,
  dateTime,
  fieldMatchers,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  ThemeContext,
  VizOrientation,
} from '@grafana/data';
import { BigValue, GlobalStyles, PanelChrome, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { useLayoutEffect } from 'react';
import { createRoot } from 'react-dom/client';

import { configOf, framesOf, isTransformation } from './frames.js';

const CELL = 30;
const GAP = 8;
const HEADER = 48;
const TIME_ZONE = 'utc';
const { shown } = window;
const theme = createTheme({ colors: { mode: 'dark' } });
const range = { from: dateTime(shown.from), to: dateTime(shown.to), raw: { from: dateTime(shown.from), to: dateTime(shown.to) } };

const KINDS = {
  timeseries: ({ panel, frames, width, height }) => (
    <TimeSeries frames={frames.map(broken)} timeRange={range} timeZone={TIME_ZONE} legend={panel.options.legend} {...{ width, height }}>
      {(config) => <Shades config={config} />}
    </TimeSeries>
  ),
  stat: ({ panel, frames, width, height }) => {
    const { options } = panel;
    const values = () =>
      getFieldDisplayValues({
        data: frames, fieldConfig: configOf(panel), reduceOptions: options.reduceOptions,
        sparkline: options.graphMode !== 'none', replaceVariables: (text) => text, theme, timeZone: TIME_ZONE,
      });
    const figure = ({ value, alignmentFactors, count, ...size }) => (
      <BigValue
        value={value.display} sparkline={value.sparkline && { ...value.sparkline, timeRange: range }} count={count}
        colorMode={options.colorMode} graphMode={options.graphMode} justifyMode={options.justifyMode}
        textMode={options.textMode} text={options.text} alignmentFactors={alignmentFactors} theme={theme} width={size.width} height={size.height}
      />
    );
    return (
      <VizRepeater
        getValues={values} getAlignmentFactors={getDisplayValueAlignmentFactors} renderValue={figure} autoGrid
        orientation={options.orientation ?? VizOrientation.Auto} source={frames} renderCounter={1} {...{ width, height }}
      />
    );
  },
  table: ({ panel, frames, width, height }) => (
    <TableNG
      data={frames[0]} cellHeight={panel.options.cellHeight} sortBy={panel.options.sortBy} noHeader={!panel.options.showHeader}
      fieldConfig={configOf(panel)} enableVirtualization={false} {...{ width, height }}
    />
  ),
};

// Grafana's panel does this before its TimeSeries, which by itself breaks the first curve only.
function broken(frame) {
  return applyNullInsertThreshold({ frame, refFieldPseudoMin: shown.from, refFieldPseudoMax: shown.to });
}

function Shades({ config }) {
  useLayoutEffect(() => {
    config.addHook('drawClear', (plot) => {
      for (const { color, spans } of shown.annotations) {
        plot.ctx.fillStyle = theme.visualization.getColorByName(color);
        plot.ctx.globalAlpha = 0.1;
        for (const [from, to] of spans) {
          const [left, right] = [Math.max(from, shown.from), to].map((at) => plot.valToPos(at, 'x', true));
          plot.ctx.fillRect(left, plot.bbox.top, Math.max(right - left, 1), plot.bbox.height);
        }
        plot.ctx.globalAlpha = 1;
      }
    });
  }, [config]);
  return null;
}

function Panel({ panel, frames }) {
  const { x, y, w, h } = panel.gridPos;
  const column = (shown.width - GAP) / 24;
  const place = { position: 'absolute', left: GAP + x * column, top: HEADER + y * (CELL + GAP), width: w * column - GAP };
  if (panel.type === 'row') {
    return <h4 style={{ ...place, margin: 0, lineHeight: `${CELL}px` }}>⌄ {panel.title}</h4>;
  }
  const height = h * (CELL + GAP) - GAP;
  const Kind = KINDS[panel.type];
  const isEmpty = panel.type !== 'stat' && !frames.length;
  const text = !Kind ? `not drawn: ${panel.type}` : isEmpty && (panel.fieldConfig.defaults.noValue ?? 'No data');
  return (
    <div style={{ ...place, height }}>
      <PanelChrome title={panel.title} description={panel.description} width={place.width} height={height}>
        {(width, height) => (text ? <Words {...{ text, width, height }} /> : <Kind {...{ panel, frames, width, height }} />)}
      </PanelChrome>
    </div>
  );
}

function Words({ text, width, height }) {
  return <div style={{ width, height, display: 'grid', placeItems: 'center', textAlign: 'center' }}>{text}</div>;
}

function Page({ panels }) {
  const variables = shown.variables.map(([label, value]) => `${label}: ${value === '.*' ? 'All' : value}`);
  const times = [range.from, range.to].map((at) => at.utc().format('YYYY-MM-DD HH:mm')).join(' to ');
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <header style={{ padding: GAP, display: 'flex', gap: 24, whiteSpace: 'nowrap', overflow: 'hidden' }}>
        <strong>{shown.title}</strong>
        <span>{times} UTC</span>
        {variables.map((text) => <span key={text}>{text}</span>)}
      </header>
      {panels.map(([panel, frames]) => <Panel key={panel.id} {...{ panel, frames }} />)}
    </ThemeContext.Provider>
  );
}

// What Grafana would do and this does not; the command names it.
function missing(panel) {
  const overrides = panel.fieldConfig?.overrides ?? [];
  const parts = [
    ...(panel.type === 'row' || KINDS[panel.type] ? [] : [`type ${panel.type}`]),
    ...['timeFrom', 'timeShift', 'repeat', 'libraryPanel'].filter((key) => panel[key]),
    ...(panel.transformations ?? []).filter(({ id }) => !isTransformation(id)).map(({ id }) => `transformation ${id}`),
    ...overrides.filter(({ matcher }) => !fieldMatchers.getIfExists(matcher.id)).map(({ matcher }) => `matcher ${matcher.id}`),
    ...panel.answers.filter(({ error }) => error).map(({ refId, error }) => `query ${refId}, refused: ${error}`),
  ];
  return parts.map((part) => `missing: ${panel.title}: ${part}`);
}

async function draw() {
  const panels = await Promise.all(
    shown.panels.map(async (panel) => [panel, KINDS[panel.type] ? await framesOf(panel, theme, TIME_ZONE) : []])
  );
  shown.panels.flatMap(missing).forEach((line) => console.log(line));
  createRoot(document.getElementById('page')).render(<Page panels={panels} />);
}

draw();
