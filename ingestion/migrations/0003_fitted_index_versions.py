from django.conf import settings
from django.db import migrations, models


def describe(apps, schema_editor):
    """Versions of before: English stems, codes of all dimensions, the same weights for every library."""
    for version in apps.get_model("ingestion", "IndexVersion").objects.all():
        learned = version.encoder.startswith("models/learned-")
        version.model = settings.ENCODER if learned else version.encoder
        version.learned = version.encoder if learned else ""
        version.languages, version.fusion = ["en"], {}
        version.save()


class Migration(migrations.Migration):

    dependencies = [("ingestion", "0002_learning_runs")]

    operations = [
        migrations.AddField("indexversion", "model", models.CharField(max_length=500, default=""), preserve_default=False),
        migrations.AddField("indexversion", "learned", models.CharField(blank=True, max_length=500, default=""), preserve_default=False),
        migrations.AddField("indexversion", "code_dimensions", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("indexversion", "languages", models.JSONField(default=list)),
        migrations.AlterField("indexversion", "quantization", models.CharField(max_length=20)),
        migrations.RunPython(describe, migrations.RunPython.noop),
    ]
