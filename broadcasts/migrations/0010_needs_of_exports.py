from django.db import migrations, models


def of_earlier_ones(apps, schema_editor):
    exports = apps.get_model("broadcasts", "Export").objects
    exports.filter(unmasked=True).update(needs=["broadcasts.unmask_numbers"])


class Migration(migrations.Migration):
    dependencies = [("broadcasts", "0009_quick_filters")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="needs",
            field=models.JSONField(
                default=list,
                help_text="The permissions that its package was made with, and takes.",
            ),
        ),
        migrations.RunPython(of_earlier_ones, migrations.RunPython.noop),
    ]
