{{- define "cloudlet.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "cloudlet.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "cloudlet.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "cloudlet.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* Takes (list $ "emulator"): what tells the pods of one part from all others. */}}
{{- define "cloudlet.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "cloudlet.labels" -}}
{{- $root := index . 0 -}}
{{ include "cloudlet.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* No root, no capability, nothing written outside of the volumes. */}}
{{- define "cloudlet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What the pods of both parts have in common, beside containers and volumes. */}}
{{- define "cloudlet.pod" -}}
{{- $root := index . 0 -}}
{{- $part := index $root.Values (index . 1) -}}
serviceAccountName: {{ include "cloudlet.serviceAccount" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $root.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if gt (int $part.replicas) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "cloudlet.selector" . | nindent 8 }}
{{- end }}
{{- end -}}

{{- define "cloudlet.claim" -}}
{{- $root := index . 0 -}}
{{- $part := index $root.Values (index . 1) -}}
{{ $part.persistence.existingClaim | default (printf "%s-%s" (include "cloudlet.fullname" $root) (index . 1)) }}
{{- end -}}

{{/* "yes" where a part keeps something in its volume: nothing does that has all of it in PostgreSQL and secrets. */}}
{{- define "cloudlet.kept" -}}
{{- $part := index (index . 0).Values (index . 1) -}}
{{- $elsewhere := dig "stateUrl" "existingSecret" "" $part -}}
{{- if eq (index . 1) "control" -}}
{{- $elsewhere = and $part.databaseUrl.existingSecret $part.secretKey.existingSecret -}}
{{- end -}}
{{- if and $part.persistence.enabled (not $elsewhere) }}yes{{ end -}}
{{- end -}}

{{/* Refuses what cannot work, at once and in words. */}}
{{- define "cloudlet.check" -}}
{{- if and .Values.emulator.enabled (gt (int .Values.emulator.replicas) 1) (not .Values.emulator.stateUrl.existingSecret) -}}
{{- fail "emulator.replicas > 1 needs emulator.stateUrl.existingSecret: replicas share their state in one PostgreSQL" -}}
{{- end -}}
{{- if and .Values.control.enabled (gt (int .Values.control.replicas) 1) (not (and .Values.control.databaseUrl.existingSecret .Values.control.secretKey.existingSecret)) -}}
{{- fail "control.replicas > 1 needs control.databaseUrl.existingSecret and control.secretKey.existingSecret" -}}
{{- end -}}
{{- if and .Values.emulator.authToken.value .Values.emulator.authToken.existingSecret -}}
{{- fail "emulator.authToken has both a value and an existingSecret" -}}
{{- end -}}
{{- end -}}
