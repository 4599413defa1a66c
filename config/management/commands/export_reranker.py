"""`manage.py export_reranker --format triton|onnx DIR`: the cross-encoder for those who run it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from indexing.engine import model_path


class Command(BaseCommand):
    help = "Export the reranker that QUARRY_RERANKER names, as ONNX."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
        parser.add_argument(
            "--format",
            choices=["triton", "onnx"],
            required=True,
            help="triton: a model repository; onnx: a model folder for onnx-fp32 and onnx-int8",
        )
        parser.add_argument(
            "--precision",
            choices=["fp16", "int8"],
            default="fp16",
            help="of a Triton model: fp16 runs on a GPU, int8 on CPUs",
        )

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CommandError(f"{folder} is not an empty folder. Name a new one.")
        try:
            from training.reranker.onnx_export import export_folder, export_triton
        except ImportError as error:
            raise CommandError(
                f"{error}. Exporting needs the training tools: pip install -r requirements/dev.txt"
            ) from error
        model = model_path(settings.RERANKER)
        try:
            if options["format"] == "triton":
                export_triton(model, folder, options["precision"])
            else:
                export_folder(model, folder)
        except (OSError, ValueError) as error:
            raise CommandError(f"{settings.RERANKER} (QUARRY_RERANKER) was not exported: {error}") from error
        self.stdout.write(f"{settings.RERANKER} is in {folder}.")
